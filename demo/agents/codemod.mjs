/**
 * Agent of the demo: a codemod. Puts a licence line on top of every source file of the folders named on the command line, proves that it
 * can be run twice without doing more, and commits with git as a person would.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const line = '// SPDX-License-Identifier: Apache-2.0\n'

function addHeaders(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|c|h)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !readFileSync(path, 'utf8').startsWith(line))
  for (const path of files) writeFileSync(path, line + readFileSync(path, 'utf8'))
  return files.length
}

const folders = process.argv.slice(2)
const changed = folders.reduce((sum, folder) => sum + addHeaders(folder), 0)
const again = folders.reduce((sum, folder) => sum + addHeaders(folder), 0)
if (again !== 0) {
  console.error(`codemod: changed ${changed} files, then ${again} more`)
  process.exit(1)
}
const pending = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' })
if (pending !== '') execFileSync('git', ['commit', '--all', '--quiet', '--message', 'Add licence headers'], { stdio: 'inherit' })
console.log(`codemod: ${changed} files in ${folders.join(', ')}`)
