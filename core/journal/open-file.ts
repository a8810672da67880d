import { chmodSync, closeSync, lstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'

/**
 * Makes the journal's directory (0700) and file (0600) before SQLite does, because SQLite would use the umask; its -wal and -shm files
 * take over the mode of the main file. A file that exists is never opened here: closing it would drop the locks that this process may
 * hold on it through SQLite (sqlite.org/howtocorrupt.html, 2.2). Throws `journal_failed`, `host_no_space`.
 */
export function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (create(file)) return
    const { mode, isFile } = describe(file)
    if (!isFile) throw Object.assign(new Error('not a file'), { code: 'not a regular file' })
    if ((mode & 0o077) !== 0) chmodSync(file, 0o600)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new BulkheadError('host_no_space', 'The disk that holds the journal is full.', { where: file })
    throw new BulkheadError('journal_failed', `The journal cannot be opened: ${code}.`, {
      where: file,
      nativeCode: code,
      cause,
    })
  }
}

/** False when there is something of that name. Follows no link. */
function create(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function describe(file: string): { readonly mode: number; readonly isFile: boolean } {
  const found = lstatSync(file)
  return { mode: found.mode, isFile: found.isFile() }
}
