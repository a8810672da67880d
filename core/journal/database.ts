import { createRequire } from 'node:module'
import type { DatabaseSyncInstance as Connection } from '@photostructure/sqlite'
import { databaseError, isBusy } from './database-error.ts'

/** What the journal needs of SQLite. Every method throws only the errors of `databaseError`. */
export interface Database extends Disposable {
  /** Runs several statements. */
  script(sql: string): void
  run(sql: string, ...parameters: Value[]): { readonly changes: number; readonly lastId: number }
  /** The first row, or undefined. Rows are plain objects; the caller knows their shape from its own statement. */
  get(sql: string, ...parameters: Value[]): unknown
  all(sql: string, ...parameters: Value[]): unknown[]
  /** As `all`, each row an array of its columns: half the cost where there are many rows. */
  tuples(sql: string, ...parameters: Value[]): readonly Value[][]
  /**
   * Takes the write lock first, so that what `work` reads is still true when it writes. `durable` waits for the disk; otherwise the
   * commit survives a crash of the process but maybe not a power cut.
   */
  transaction<T>(work: () => T, durability?: 'durable' | 'relaxed'): T
}

interface Driver {
  readonly DatabaseSync: new (file: string) => Connection
}

type Value = string | number | null

const sqlite = load()

/**
 * node:sqlite where it is stable (24 and later; 22 prints an ExperimentalWarning), otherwise the port of it that runs on every Node we
 * support. Both have the same interface.
 */
function load(): Driver {
  const major = Number(process.versions.node.split('.')[0])
  const builtin = major >= 24 ? process.getBuiltinModule('node:sqlite') : undefined
  if (builtin !== undefined) return builtin as Driver
  return createRequire(import.meta.url)('@photostructure/sqlite') as Driver
}

/**
 * Opens or creates a database file. A statement waits up to `busyTimeoutMs` milliseconds for another process.
 * Throws `journal_busy`, `journal_corrupt`, `journal_failed`, `host_no_space`.
 */
export function openDatabase(file: string, busyTimeoutMs: number): Database {
  return patiently(file, busyTimeoutMs, () => new SqliteDatabase(file, connect(file, busyTimeoutMs)))
}

function connect(file: string, busyTimeoutMs: number): Connection {
  const connection = new sqlite.DatabaseSync(file)
  try {
    connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    const row = connection.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
    if (row.journal_mode !== 'wal') throw Object.assign(new Error('this filesystem has no shared memory for a WAL'), { errcode: 10 })
    connection.exec('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** SQLite does not wait while another process is just switching the file to WAL or closing its last connection, so we do. */
function patiently<T>(file: string, forMs: number, action: () => T): T {
  const deadline = Date.now() + forMs
  for (;;) {
    try {
      return action()
    } catch (error) {
      if (!isBusy(error) || Date.now() >= deadline) throw databaseError(error, file)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 20)
    }
  }
}

class SqliteDatabase implements Database {
  readonly #statements = new Map<string, ReturnType<Connection['prepare']>>()
  #synchronous: 'FULL' | 'NORMAL' = 'FULL'
  readonly #file: string
  readonly #connection: Connection

  constructor(file: string, connection: Connection) {
    this.#file = file
    this.#connection = connection
  }

  script(sql: string): void {
    this.#guard(() => this.#connection.exec(sql))
  }

  run(sql: string, ...parameters: Value[]): { changes: number; lastId: number } {
    const result = this.#guard(() => this.#prepare(sql).run(...parameters))
    return { changes: result.changes, lastId: Number(result.lastInsertRowid) }
  }

  get(sql: string, ...parameters: Value[]): unknown {
    return this.#guard(() => this.#prepare(sql).get(...parameters))
  }

  all(sql: string, ...parameters: Value[]): unknown[] {
    return this.#guard(() => this.#prepare(sql).all(...parameters))
  }

  tuples(sql: string, ...parameters: Value[]): readonly Value[][] {
    return this.#guard(() => {
      // A statement of its own: the mode belongs to the statement.
      const statement = this.#prepare(`${sql} -- tuples`)
      statement.setReturnArrays(true)
      return statement.all(...parameters) as Value[][]
    })
  }

  transaction<T>(work: () => T, durability: 'durable' | 'relaxed' = 'durable'): T {
    return this.#guard(() => {
      // In WAL mode NORMAL leaves the sync to the next commit under FULL (sqlite.org/pragma.html#pragma_synchronous).
      const synchronous = durability === 'durable' ? 'FULL' : 'NORMAL'
      if (synchronous !== this.#synchronous) this.#connection.exec(`PRAGMA synchronous = ${synchronous}`)
      this.#synchronous = synchronous
      this.#connection.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        this.#connection.exec('COMMIT')
        return result
      } catch (error) {
        // SQLite itself has rolled back already after some errors (a full disk).
        if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
        throw error
      }
    })
  }

  [Symbol.dispose](): void {
    if (this.#connection.isOpen) this.#connection.close()
  }

  #prepare(sql: string): ReturnType<Connection['prepare']> {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#connection.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #guard<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw databaseError(error, this.#file)
    }
  }
}
