import { randomBytes } from 'node:crypto'
import { BulkheadError } from '../contracts/error.ts'
import type { EventPayloads, EventType, JournalEvent } from '../contracts/event.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Journal, Liveness, OrchestratorRecord, ReceiptOwner } from '../contracts/journal.ts'
import type { Receipt } from '../contracts/layer.ts'
import { openDatabase, type Database } from './database.ts'
import { EventLog } from './event-log.ts'
import { migrate } from './migrate.ts'
import { prepareFile } from './open-file.ts'

export interface JournalOptions {
  /** Absolute path of `journal.db`. */
  readonly file: string
  /** Decides whether the holder of a lock still is there. */
  readonly isAlive: Liveness
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** How long a call waits (and blocks) while another process writes, in milliseconds; default 5000. */
  readonly busyTimeoutMs?: number
}

/** Opens or creates the journal. Throws `journal_busy`, `journal_corrupt`, `journal_failed`, `journal_newer`, `host_no_space`. */
export function openJournal(options: JournalOptions): Journal {
  prepareFile(options.file)
  const database = openDatabase(options.file, options.busyTimeoutMs ?? 5_000)
  try {
    migrate(database, options.file)
    return new SqliteJournal(database, options)
  } catch (error) {
    database[Symbol.dispose]()
    throw error
  }
}

interface OrchestratorRow {
  readonly id: string
  readonly pid: number
  readonly start_time: string
  readonly heartbeat_at: number
}

class SqliteJournal implements Journal {
  readonly #database: Database
  readonly #isAlive: Liveness
  readonly #now: () => number
  readonly #log: EventLog

  constructor(database: Database, options: JournalOptions) {
    this.#database = database
    this.#isAlive = options.isAlive
    this.#now = options.now ?? Date.now
    this.#log = new EventLog(database, this.#now)
  }

  submit(jobs: readonly JobSpec[]): void {
    this.#database.transaction(() => {
      for (const job of jobs) {
        if (this.#database.get('SELECT 1 FROM jobs WHERE taken_name = ? OR id = ?', job.name, job.id) !== undefined) {
          throw new BulkheadError('usage_invalid', `A job named ${job.name} exists already.`, {
            job: job.name,
            remedy: 'Choose another name, or remove that job with bulkhead rm.',
          })
        }
        const spec = JSON.stringify(job)
        this.#database.run('INSERT INTO jobs (id, taken_name, spec) VALUES (?, ?, ?)', job.id, job.name, spec)
        this.#log.append(job.id, 'job.submitted', {}, spec)
      }
    })
  }

  jobs(): readonly JobSpec[] {
    const rows = this.#database.all('SELECT spec FROM jobs ORDER BY ordinal') as { spec: string }[]
    return rows.map((row) => this.#log.parse(row.spec) as JobSpec)
  }

  find(idOrName: string): JobSpec | undefined {
    const row = this.#database.get('SELECT spec FROM jobs WHERE id = ? OR taken_name = ?', idOrName, idOrName) as
      | { spec: string }
      | undefined
    return row === undefined ? undefined : (this.#log.parse(row.spec) as JobSpec)
  }

  append<T extends EventType>(job: string | null, type: T, data: EventPayloads[T]): JournalEvent<T> {
    return this.#database.transaction(() => this.#append(job, type, data), durabilityOf(type))
  }

  appendIf<T extends EventType>(job: string, expectedSequence: number, type: T, data: EventPayloads[T]): JournalEvent<T> | undefined {
    return this.#database.transaction(
      () => (this.#log.last(job) === expectedSequence ? this.#append(job, type, data) : undefined),
      durabilityOf(type),
    )
  }

  events(filter: { readonly job?: string; readonly after?: number } = {}): readonly JournalEvent[] {
    return this.#log.read(filter)
  }

  register(process: OrchestratorRecord): string {
    const id = `orc_${randomBytes(8).toString('hex')}`
    this.#database.transaction(() =>
      this.#database.run(
        'INSERT INTO orchestrators (id, pid, start_time, heartbeat_at) VALUES (?, ?, ?, ?)',
        id,
        process.pid,
        process.startTime,
        this.#now(),
      ),
    )
    return id
  }

  heartbeat(orchestrator: string): void {
    this.#database.transaction(
      () => this.#database.run('UPDATE orchestrators SET heartbeat_at = ? WHERE id = ?', this.#now(), orchestrator),
      'relaxed',
    )
  }

  unregister(orchestrator: string): void {
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM locks WHERE orchestrator = ?', orchestrator)
      this.#database.run('DELETE FROM orchestrators WHERE id = ?', orchestrator)
    })
  }

  orchestrators(): readonly (OrchestratorRecord & { readonly id: string; readonly heartbeatAt: number })[] {
    const rows = this.#database.all('SELECT id, pid, start_time, heartbeat_at FROM orchestrators ORDER BY rowid') as OrchestratorRow[]
    return rows.map((row) => ({ id: row.id, pid: row.pid, startTime: row.start_time, heartbeatAt: row.heartbeat_at }))
  }

  record(owner: ReceiptOwner, receipt: Receipt): number {
    const sql = 'INSERT INTO receipts (orchestrator, job, receipt) VALUES (?, ?, ?)'
    return this.#database.transaction(() => this.#database.run(sql, owner.orchestrator, owner.job, JSON.stringify(receipt)).lastId)
  }

  settle(receipt: number): void {
    this.#database.transaction(() => this.#database.run('DELETE FROM receipts WHERE id = ?', receipt))
  }

  receipts(): readonly (ReceiptOwner & { readonly id: number; readonly receipt: Receipt })[] {
    const rows = this.#database.all('SELECT id, orchestrator, job, receipt FROM receipts ORDER BY id') as {
      id: number
      orchestrator: string
      job: string
      receipt: string
    }[]
    return rows.map((row) => ({ ...row, receipt: this.#log.parse(row.receipt) as Receipt }))
  }

  lock(name: string, orchestrator: string): Disposable | undefined {
    const holder = randomBytes(8).toString('hex')
    const taken = this.#database.transaction(() => {
      const present = this.#database.get(
        `SELECT o.id, o.pid, o.start_time, o.heartbeat_at FROM locks l JOIN orchestrators o ON o.id = l.orchestrator WHERE l.name = ?`,
        name,
      ) as OrchestratorRow | undefined
      if (present !== undefined && this.#isAlive({ pid: present.pid, startTime: present.start_time })) return false
      this.#database.run('INSERT OR REPLACE INTO locks (name, orchestrator, holder) VALUES (?, ?, ?)', name, orchestrator, holder)
      return true
    }, 'relaxed')
    if (!taken) return undefined
    const release = (): void => {
      this.#database.transaction(() => this.#database.run('DELETE FROM locks WHERE name = ? AND holder = ?', name, holder), 'relaxed')
    }
    return { [Symbol.dispose]: release }
  }

  verify(): number | undefined {
    return this.#log.verify()
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]()
  }

  #append<T extends EventType>(job: string | null, type: T, data: EventPayloads[T]): JournalEvent<T> {
    // The name is free again in the same moment in which the job is gone.
    if (type === 'job.removed') this.#database.run('UPDATE jobs SET taken_name = NULL WHERE id = ?', job)
    return this.#log.append(job, type, data, null)
  }
}

/**
 * What only tells how an attempt goes does not wait for the disk: the decision that ends the attempt does, and takes all before it along.
 * After a power cut the attempt is gone in any case. An agent must not be able to make the host sync its disk as fast as it likes.
 */
const progress: readonly EventType[] = [
  'job.prepared',
  'job.verified',
  'job.started',
  'job.denial',
  'job.changed',
  'job.asked',
  'job.exited',
]

function durabilityOf(type: EventType): 'durable' | 'relaxed' {
  return progress.includes(type) ? 'relaxed' : 'durable'
}
