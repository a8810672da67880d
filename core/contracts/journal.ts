import type { EventPayloads, EventType, JournalEvent } from './event.ts'
import type { JobSpec } from './job.ts'
import type { Receipt } from './layer.ts'

/**
 * The durable truth of one repository's jobs, shared by every Bulkhead process that works on it. Writes are transactions that are on disk
 * when the call returns; only the progress of an attempt (prepared, verified, started, denials, change counts, exited), locks and
 * heartbeats survive a crash of the process at once but a power cut not before the next decision, which takes them along in order.
 * Methods are synchronous because SQLite is.
 *
 * Throws `journal_busy`, `journal_corrupt`, `journal_failed`, `journal_newer`, `host_no_space`.
 */
export interface Journal extends Disposable {
  /** Stores the jobs and their `job.submitted` events in one transaction: all or none. Throws `usage_invalid` on a taken name. */
  submit(jobs: readonly JobSpec[]): void
  jobs(): readonly JobSpec[]
  /** By id or by name; undefined when there is none. A removed job is found by id only. */
  find(idOrName: string): JobSpec | undefined
  append<T extends EventType>(job: string | null, type: T, data: EventPayloads[T]): JournalEvent<T>
  /**
   * Appends only if `expectedSequence` is still the job's last event (0: none): compare-and-swap for decisions that two processes could
   * take at once. Returns undefined when somebody was faster.
   */
  appendIf<T extends EventType>(job: string, expectedSequence: number, type: T, data: EventPayloads[T]): JournalEvent<T> | undefined
  events(filter?: { readonly job?: string; readonly after?: number }): readonly JournalEvent[]

  /** Registers this process; the returned id names it in events. Kept alive by `heartbeat`. */
  register(process: OrchestratorRecord): string
  heartbeat(orchestrator: string): void
  unregister(orchestrator: string): void
  orchestrators(): readonly (OrchestratorRecord & { readonly id: string; readonly heartbeatAt: number })[]

  /** Stores a receipt before the side effect; `settle` removes it after the effect was undone. */
  record(owner: ReceiptOwner, receipt: Receipt): number
  settle(receipt: number): void
  receipts(): readonly (ReceiptOwner & { readonly id: number; readonly receipt: Receipt })[]

  /** Runs `work` holding the named exclusive lock of the journal (leases expire when their process is gone). Undefined: held by another. */
  lock(name: string, orchestrator: string): Disposable | undefined
  /** Verifies the hash chain over all events; returns the first broken sequence or undefined. */
  verify(): number | undefined
}

export interface OrchestratorRecord {
  readonly pid: number
  /** proc(5) start time, so that a reused pid is not taken for the same process. */
  readonly startTime: string
}

/** Tells whether exactly that process is still there. Supplied by the composition, so that core names no operating system. */
export type Liveness = (process: OrchestratorRecord) => boolean

export interface ReceiptOwner {
  readonly orchestrator: string
  readonly job: string
}
