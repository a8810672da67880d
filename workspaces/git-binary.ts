import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { BulkheadError } from '../core/contracts/error.ts'
import { canonicalPath, hasUnixFiles } from './filesystem.ts'
import { pinnedEnvironment } from './pins.ts'

/** `merge-tree --write-tree` appeared in 2.38. */
const minimum = [2, 38] as const
const remedy = 'Install git 2.38 or newer and put it on PATH.'

export interface GitBinary {
  readonly path: string
  readonly version: string
}

/**
 * Finds git once, by absolute path: relative and empty PATH entries are skipped, so that a `git` lying in a repository is never taken.
 * Throws `host_tool_missing`.
 */
export async function findGit(path: string | undefined): Promise<GitBinary> {
  const found = (path ?? '')
    .split(delimiter)
    // Quotes around a folder are no part of its name on Windows.
    .map((folder) => (hasUnixFiles ? folder : folder.replace(/^"(.*)"$/, '$1')))
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, hasUnixFiles ? 'git' : 'git.exe'))
    .find(isProgram)
  if (found === undefined) throw new BulkheadError('host_tool_missing', 'git was not found on PATH', { remedy })
  const binary = behindWrapper(canonicalPath(found))
  const { stdout } = await promisify(execFile)(binary, ['version'], { env: pinnedEnvironment(binary), timeout: 10_000 })
  const match = /^git version (\d+)\.(\d+)\S*/.exec(stdout)
  const version = match?.[0].slice('git version '.length) ?? 'unknown'
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
    throw new BulkheadError('host_tool_missing', `git ${version} is too old (${binary})`, { remedy })
  }
  return { path: binary, version }
}

/**
 * Git for Windows puts a starter on PATH (`cmd/git.exe`, `bin/git.exe`) that runs the real program and waits for it: ending the starter would
 * leave git at work.
 */
function behindWrapper(binary: string): string {
  if (hasUnixFiles || !['cmd', 'bin'].includes(basename(dirname(binary)).toLowerCase())) return binary
  const folders = ['mingw64', 'clangarm64', 'mingw32'].map((folder) => join(dirname(binary), '..', folder, 'bin', 'git.exe'))
  return folders.find(isProgram) ?? binary
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
