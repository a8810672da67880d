import type { Denial } from './denial.ts'
import type { Evidence, LayerPlan } from './layer.ts'

export interface ChangeCounts {
  readonly files: number
  readonly insertions: number
  readonly deletions: number
}

/**
 * Everything that can happen to a job. Events are the only stored truth; status is derived (`core/scheduler/state.ts`).
 * All payloads are plain JSON. Texts that came from an agent are hostile input.
 */
export interface EventPayloads {
  'job.submitted': Record<string, never>
  'job.claimed': { orchestrator: string; attempt: number }
  'job.prepared': { workspace: string; base: string; plans: LayerPlan[]; degraded: string[] }
  'job.verified': { evidence: Evidence[] }
  'job.started': { pid: number; startTime: string }
  'job.denial': Denial
  'job.changed': ChangeCounts
  /** A call of the agent waits for a person's yes or no. `question` is unique within the job. */
  'job.asked': OpenQuestion
  /** `by`: who said so; `bulkhead` when nobody did in time. */
  'job.answered': { question: number; allow: boolean; by: string }
  'job.exited': { code: number | null; signal: string | null; reason: ExitReason }
  /** `tree` is null when the agent changed nothing. */
  'job.finished': { commit: string | null; tree: string | null; counts: ChangeCounts }
  /** `remedy`: absent in old events. */
  'job.failed': { code: string; message: string; remedy?: string; retryAt: number | null; work?: TakenWork | null }
  /** The orchestrator stopped in order (`shutdown`) or died; the job goes back to the queue, or ends when that happened too often. */
  'job.interrupted': { orchestrator: string; reason: 'shutdown' | 'died' }
  'job.cancel-requested': { by: string }
  'job.cancelled': { by: string; work?: TakenWork | null }
  'job.removed': { backup: string | null }
  'review.approved': { tree: string; by: string }
  'review.rejected': { by: string; reason: string }
  'merge.requested': { target: string; by: string }
  'merge.candidate': { commit: string; tree: string; onto: string }
  'merge.gate': { name: string; passed: boolean; durationMs: number; output: string }
  'merge.landed': { target: string; commit: string; from: string; checkout: 'none' | 'advanced' | 'behind' }
  'merge.failed': { code: string; message: string; paths: string[] }
  'queue.paused': { by: string }
  'queue.resumed': { by: string }
}

/** Texts are the agent's: escape before printing. */
export interface OpenQuestion {
  readonly question: number
  /** What is tried, and on what (`file.delete`, a path). */
  readonly on: string
  readonly object: string
  readonly program: string
  /** Index of the rule in the policy that asks. */
  readonly rule: number
}

/** What a job that did not finish had changed all the same; it was taken in so that it can be looked at. Absent or null: nothing. */
export interface TakenWork {
  readonly commit: string
  readonly tree: string
  readonly counts: ChangeCounts
}

/** Why an agent's process ended. */
export type ExitReason = 'exited' | 'time' | 'stall' | 'output' | 'cancelled' | 'rule' | 'shutdown'

export type EventType = keyof EventPayloads

export type JournalEvent<T extends EventType = EventType> = {
  [K in T]: {
    /** Strictly increasing within a journal. */
    readonly sequence: number
    /** Milliseconds since 1970. */
    readonly at: number
    /** null for events of the queue itself. */
    readonly job: string | null
    readonly type: K
    readonly data: EventPayloads[K]
  }
}[T]
