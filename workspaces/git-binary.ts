import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { BulkheadError } from '../core/contracts/error.ts'
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
  const binary = (path ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, process.platform === 'win32' ? 'git.exe' : 'git'))
    .find(isProgram)
  if (binary === undefined) throw new BulkheadError('host_tool_missing', 'git was not found on PATH', { remedy })
  const { stdout } = await promisify(execFile)(binary, ['version'], { env: pinnedEnvironment(binary), timeout: 10_000 })
  const match = /^git version (\d+)\.(\d+)\S*/.exec(stdout)
  const version = match?.[0].slice('git version '.length) ?? 'unknown'
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
    throw new BulkheadError('host_tool_missing', `git ${version} is too old (${binary})`, { remedy })
  }
  return { path: realpathSync(binary), version }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
