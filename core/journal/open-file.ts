import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { BulkheadError } from '../contracts/error.ts'

/**
 * Makes the journal's directory (0700) and file (0600) before SQLite does, because SQLite would use the umask; its -wal and -shm files
 * take over the mode of the main file. Throws `journal_failed`, `host_no_space`.
 */
export function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // O_NOFOLLOW does not exist everywhere; where it does, a planted link is refused.
    const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600)
    try {
      if ((fstatSync(descriptor).mode & 0o077) !== 0) fchmodSync(descriptor, 0o600)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new BulkheadError('host_no_space', 'The disk that holds the journal is full.', { where: file })
    throw new BulkheadError('journal_failed', `The journal cannot be opened: ${code}.`, {
      where: file,
      nativeCode: code,
      remedy: 'Make the file and its directory writable for you, or set BULKHEAD_STATE to a directory that is.',
      cause,
    })
  }
}
