import { BulkheadError } from '../contracts/error.ts'

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const primary = { perm: 3, busy: 5, locked: 6, readonly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const

function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  // The low byte; the rest says which variant (SQLITE_BUSY_SNAPSHOT and the like).
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === primary.busy || code === primary.locked
}

/** Turns what SQLite threw into `journal_busy`, `journal_corrupt`, `journal_failed` or `host_no_space`; anything else is `internal`. */
export function databaseError(cause: unknown, file: string): BulkheadError {
  if (BulkheadError.is(cause)) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const details = { where: file, cause }
  switch (primaryCode(cause)) {
    case primary.busy:
    case primary.locked:
      return new BulkheadError('journal_busy', 'The journal stayed locked by another process.', {
        ...details,
        remedy: 'Wait for the other bulkhead command to end, then try again.',
      })
    case primary.corrupt:
    case primary.notADatabase:
      return new BulkheadError('journal_corrupt', `The journal is damaged: ${text}.`, {
        ...details,
        remedy: 'Move the file away to begin a new journal; work under refs/bulkhead stays in the repository.',
      })
    case primary.full:
      return new BulkheadError('host_no_space', 'The disk that holds the journal is full.', { ...details, remedy: 'Free some space.' })
    case primary.perm:
    case primary.readonly:
    case primary.io:
    case primary.cannotOpen:
      return new BulkheadError('journal_failed', `The journal cannot be used: ${text}.`, {
        ...details,
        remedy: 'Make the file and its directory writable for you, on a local disk.',
      })
    default:
      return new BulkheadError('internal', `The journal refused a statement: ${text}.`, details)
  }
}
