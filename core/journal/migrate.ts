import { readdirSync, readFileSync } from 'node:fs'
import { BulkheadError } from '../contracts/error.ts'
import type { Database } from './database.ts'

/** "blkh", so that a foreign SQLite file is not taken for a journal (sqlite.org/pragma.html#pragma_application_id). */
const applicationId = 0x626c6b68

interface Migration {
  readonly version: number
  readonly sql: string
}

/** `NNNN-what.sql` beside this file, from 0001 without gaps. Runs from the sources and from `dist` alike. */
function migrations(): readonly Migration[] {
  const directory = new URL('./migrations/', import.meta.url)
  const files = readdirSync(directory)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .toSorted()
  return files.map((name) => ({ version: Number(name.slice(0, 4)), sql: readFileSync(new URL(name, directory), 'utf8') }))
}

/** Brings the file up to date in one transaction. Throws `journal_newer`, `journal_corrupt`. */
export function migrate(database: Database, file: string): void {
  const known = migrations()
  const newest = known.at(-1)?.version ?? 0
  if (newest === 0) throw new BulkheadError('internal', 'The migrations of the journal are missing from this installation.')
  if (check(database, file, newest) === newest) return
  database.transaction(() => {
    // Another process may have done it while we waited for the lock.
    const present = check(database, file, newest)
    for (const { version, sql } of known.filter((migration) => migration.version > present)) {
      database.script(sql)
      database.script(`PRAGMA user_version = ${version}; PRAGMA application_id = ${applicationId}`)
    }
  })
}

function check(database: Database, file: string, newest: number): number {
  const version = pragma(database, 'user_version')
  const owner = pragma(database, 'application_id')
  const tables = (database.get('SELECT count(*) AS count FROM sqlite_schema') as { count: number }).count
  if (tables > 0 && owner !== applicationId) {
    throw new BulkheadError('journal_corrupt', 'The file is a database, but not a journal of Bulkhead.', { where: file })
  }
  if (version > newest) {
    throw new BulkheadError('journal_newer', `The journal has version ${version}; this Bulkhead knows up to ${newest}.`, {
      where: file,
      remedy: 'Use the newer Bulkhead that wrote it.',
    })
  }
  return version
}

function pragma(database: Database, name: 'user_version' | 'application_id'): number {
  return (database.get(`PRAGMA ${name}`) as Record<string, number>)[name] ?? 0
}
