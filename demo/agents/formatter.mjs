/**
 * Agent of the demo: a formatter. Narrows the line width in the formatter's own configuration and formats the folders named.
 *
 * Usage: formatter.mjs FORMATTER FOLDER...
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [formatter, ...folders] = process.argv.slice(2)
const configuration = JSON.parse(readFileSync('.oxfmtrc.json', 'utf8'))
writeFileSync('.oxfmtrc.json', `${JSON.stringify({ ...configuration, printWidth: 100 }, null, 2)}\n`)
execFileSync(process.execPath, [formatter, ...folders], { stdio: 'inherit' })
const pending = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' })
if (pending !== '') execFileSync('git', ['commit', '--all', '--quiet', '--message', 'Format with 100 columns'], { stdio: 'inherit' })
console.log(`formatter: ${execFileSync('git', ['show', '--shortstat', '--format=%s', 'HEAD'], { encoding: 'utf8' }).trim()}`)
