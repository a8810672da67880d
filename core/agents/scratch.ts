import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'
import { fileNameFault } from './file-name.ts'
import { ioError } from './io-error.ts'

/**
 * Makes the directory (mode 0700) with `files` (mode 0600) in it. What an earlier run left there is removed first; links in it are not
 * followed. Nothing is left behind on failure. Throws `workspace_failed`, `host_no_space`.
 */
export async function makeScratch(path: string, files: Readonly<Record<string, string>>): Promise<AsyncDisposable> {
  if (!isAbsolute(path) || normalize(path) !== path || dirname(path) === path) {
    throw new BulkheadError('internal', `"${path}" is no place for a scratch directory`)
  }
  for (const name of Object.keys(files)) {
    const fault = fileNameFault(name)
    if (fault !== undefined)
      throw new BulkheadError('workspace_failed', `file name ${JSON.stringify(name)} ${fault}`, { operation: 'scratch' })
  }
  const remove = async (): Promise<void> => rm(path, { recursive: true, force: true })
  try {
    await remove()
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // Not recursive: fails if anybody put something there in between.
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    throw ioError(error, 'make the directory', path)
  }
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = join(path, name)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(file, content, { mode: 0o600, flag: 'wx' })
    }
  } catch (error) {
    await remove().catch(() => undefined)
    throw ioError(error, 'write into', path)
  }
  return { [Symbol.asyncDispose]: remove }
}
