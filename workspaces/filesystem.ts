import { realpathSync, renameSync } from 'node:fs'
import { normalize, sep } from 'node:path'

/**
 * False on Windows, where files have no executable bit, making a symbolic link needs a privilege, and an open file keeps its directory from
 * being renamed or deleted.
 */
export const hasUnixFiles = process.platform !== 'win32'

/**
 * The one spelling of an existing path: links resolved, on Windows also short (8.3) names, substituted drives and the case of every name, so
 * that canonical paths can be compared. Throws what realpath(3) does.
 */
export function canonicalPath(path: string): string {
  return realpathSync.native(path)
}

/** A path as git writes it into its own files: with forward slashes, everywhere. */
export function toGit(path: string): string {
  return path.split(sep).join('/')
}

/** A path that git printed or keeps in its files. */
export function fromGit(path: string): string {
  return normalize(path)
}

const patienceMs = 2_000

/**
 * rename(2), which on Windows fails for moments in which a virus scanner or an indexer has something open: then tries for two seconds.
 * Blocks, as every caller does anyway.
 */
export function move(from: string, to: string): void {
  for (let waited = 0; ; waited += 20) {
    try {
      return renameSync(from, to)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (hasUnixFiles || waited >= patienceMs || !['EPERM', 'EACCES', 'EBUSY'].includes(code ?? '')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
