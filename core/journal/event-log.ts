import { BulkheadError } from '../contracts/error.ts'
import type { EventPayloads, EventType, JournalEvent } from '../contracts/event.ts'
import { chainHash, type EventRow } from './chain.ts'
import type { Database } from './database.ts'

/** How many events `verify` holds in memory at once. */
const page = 1_000

/** The append-only, hash-chained table of events. Writing methods are called within a transaction. */
export class EventLog {
  readonly #database: Database
  readonly #now: () => number

  constructor(database: Database, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** `spec` is the stored text of the job for `job.submitted`, null otherwise. */
  append<T extends EventType>(job: string | null, type: T, data: EventPayloads[T], spec: string | null): JournalEvent<T> {
    const head = this.#head()
    const event = { sequence: head.sequence + 1, at: this.#now(), job, type, data: JSON.stringify(data) }
    const hash = chainHash(head.hash, event, spec)
    this.#database.run(
      'INSERT INTO events (sequence, at, job, type, data, hash) VALUES (?, ?, ?, ?, ?, ?)',
      event.sequence,
      event.at,
      event.job,
      event.type,
      event.data,
      hash,
    )
    this.#database.run('UPDATE head SET sequence = ?, hash = ?', event.sequence, hash)
    return { ...event, data }
  }

  /** Sequence of the last event of a job; 0 when it has none. */
  last(job: string): number {
    const row = this.#database.get('SELECT max(sequence) AS last FROM events WHERE job = ?', job) as { last: number | null }
    return row.last ?? 0
  }

  read(filter: { readonly job?: string; readonly after?: number }): readonly JournalEvent[] {
    const after = filter.after ?? 0
    const columns = 'SELECT sequence, at, job, type, data FROM events'
    const rows =
      filter.job === undefined
        ? this.#database.tuples(`${columns} WHERE sequence > ? ORDER BY sequence`, after)
        : this.#database.tuples(`${columns} WHERE job = ? AND sequence > ? ORDER BY sequence`, filter.job, after)
    return rows.map(([sequence, at, job, type, data]) => ({ sequence, at, job, type, data: this.parse(data as string) }) as JournalEvent)
  }

  /** First sequence whose row is missing, out of order, changed or cut off; undefined when the chain is whole. */
  verify(): number | undefined {
    // One transaction, so that the head belongs to the rows.
    return this.#database.transaction(() => {
      let previous = { sequence: 0, hash: '' }
      for (;;) {
        const rows = this.#page(previous.sequence)
        for (const { spec, ...row } of rows) {
          if (row.sequence !== previous.sequence + 1) return previous.sequence + 1
          if (row.hash !== chainHash(previous.hash, row, spec)) return row.sequence
          previous = row
        }
        if (rows.length < page) break
      }
      const head = this.#head()
      if (head.sequence !== previous.sequence) return Math.min(head.sequence, previous.sequence) + 1
      return head.hash === previous.hash ? undefined : head.sequence
    }, 'relaxed')
  }

  /** Throws `journal_corrupt` on text that is not JSON. */
  parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new BulkheadError('journal_corrupt', 'The journal holds a record that is not JSON.', { cause })
    }
  }

  #page(after: number): readonly (EventRow & { readonly spec: string | null })[] {
    return this.#database.all(
      `SELECT e.sequence, e.at, e.job, e.type, e.data, e.hash, j.spec FROM events e
       LEFT JOIN jobs j ON e.type = 'job.submitted' AND j.id = e.job
       WHERE e.sequence > ? ORDER BY e.sequence LIMIT ${page}`,
      after,
    ) as (EventRow & { readonly spec: string | null })[]
  }

  #head(): { readonly sequence: number; readonly hash: string } {
    const head = this.#database.get('SELECT sequence, hash FROM head') as { sequence: number; hash: string } | undefined
    if (head === undefined) throw new BulkheadError('journal_corrupt', 'The journal has lost the end of its chain.')
    return head
  }
}
