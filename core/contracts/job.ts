import type { OpenQuestion } from './event.ts'
import type { Limits, Policy } from './policy.ts'

/** One unit of agent work as it was asked for; never changes after submission. Plain JSON. */
export interface JobSpec {
  /** `job_` and 12 characters of a-z0-9; unique in the journal. */
  readonly id: string
  /** `[a-z0-9][a-z0-9-]{0,62}`, unique among jobs that were not removed; also names the workspace. */
  readonly name: string
  readonly prompt: string
  /** Agent name in the configuration, resolved to adapter and options at submission. */
  readonly agent: { readonly name: string; readonly adapter: string; readonly options: unknown }
  /** Environment as resolved at submission. */
  readonly environment: EnvironmentSpec
  readonly policy: Policy
  /** Ids of jobs that must be finished before this one starts. */
  readonly needs: readonly string[]
  /** Higher first; default 0. */
  readonly priority: number
  readonly retry: RetrySpec
  /** Branch approved work lands on (`refs/heads/...`). */
  readonly target: string
  /** Commit the workspace starts from, full hash. */
  readonly base: string
  /** Command run inside the enforced workspace before the agent; null: none. */
  readonly setup: readonly string[] | null
  readonly gates: readonly GateSpec[]
  /** Reserved per job: `BULKHEAD_PORT`. */
  readonly port: number
  readonly submittedAt: number
}

export interface EnvironmentSpec {
  readonly name: string
  /** One plugin per layer with its options, validated at load. */
  readonly layers: Readonly<
    Record<'filesystem' | 'token' | 'network' | 'interception', { readonly plugin: string; readonly options: unknown }>
  >
  /** Layers whose unsupported parts were accepted in the configuration. */
  readonly degrade: readonly ('filesystem' | 'token' | 'network' | 'interception')[]
}

export interface RetrySpec {
  /** Attempts in all, at least 1. */
  readonly attempts: number
  /** First delay in milliseconds; doubled per attempt with full jitter, capped at `maximumMs`. */
  readonly delayMs: number
  readonly maximumMs: number
}

/** A check that must pass on the very commit that is about to land. */
export interface GateSpec {
  readonly name: string
  readonly command: readonly string[]
  readonly limits: Pick<Limits, 'timeMs'>
}

export const jobStatuses = [
  'queued',
  'preparing',
  'running',
  'waiting',
  'finished',
  'approved',
  'merging',
  'merged',
  'rejected',
  'failed',
  'cancelled',
] as const
export type JobStatus = (typeof jobStatuses)[number]

/** What is known of a job, derived from its events. */
export interface JobView {
  readonly spec: JobSpec
  readonly status: JobStatus
  /** Why it waits or how it ended, one line; null when the status says it all. */
  readonly reason: string | null
  readonly attempt: number
  readonly retryAt: number | null
  readonly orchestrator: string | null
  readonly cancelRequested: boolean
  readonly removed: boolean
  /** Tier per layer as planned for the running or last attempt. */
  readonly enforcement: readonly { readonly layer: string; readonly plugin: string; readonly tier: string; readonly degraded: boolean }[]
  readonly denials: number
  /** What waits for an answer, oldest first. Not empty while `status` is `waiting`. */
  readonly questions: readonly OpenQuestion[]
  readonly counts: { readonly files: number; readonly insertions: number; readonly deletions: number }
  readonly commit: string | null
  readonly tree: string | null
  readonly approvedTree: string | null
  readonly landed: string | null
  readonly startedAt: number | null
  readonly endedAt: number | null
}
