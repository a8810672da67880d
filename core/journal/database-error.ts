import { BulkheadError } from '../contracts/error.ts'

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const primary = { perm: 3, busy: 5, locked: 6, readonly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const

/** The port of node:sqlite leaves `errcode` out of what `all()` throws; these texts are fixed in SQLite (sqlite3ErrStr in main.c). */
const codeByText: Readonly<Record<string, number>> = {
  'access permission denied': primary.perm,
  'database is locked': primary.busy,
  'database table is locked': primary.locked,
  'attempt to write a readonly database': primary.readonly,
  'disk I/O error': primary.io,
  'database disk image is malformed': primary.corrupt,
  'database or disk is full': primary.full,
  'unable to open database file': primary.cannotOpen,
  'file is not a database': primary.notADatabase,
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  // The low byte; the rest says which variant (SQLITE_BUSY_SNAPSHOT and the like).
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  return codeByText[error.message]
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
