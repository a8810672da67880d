import type { AgentRunResult } from '../contracts/agent.ts'
import { BulkheadError, errorCatalogue } from '../contracts/error.ts'
import type { EventPayloads, EventType, ExitReason } from '../contracts/event.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Journal } from '../contracts/journal.ts'
import type { Logger } from '../contracts/tokens.ts'
import type { Snapshot } from '../contracts/workspace.ts'
import type { Claim } from './claim.ts'
import { decide } from './decide.ts'
import { isPassing, isWorthRetrying, retryDelay } from './retry.ts'
import type { JobState } from './state.ts'

/** How an attempt ended. */
export type End =
  | { readonly kind: 'finished'; readonly snapshot: Snapshot | null }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly remedy: string; readonly retry: boolean }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'shutdown' }

/** Null: it did what it should. */
export function endOfRun(result: AgentRunResult, who: string): End | null {
  if (result.reason === 'cancelled' || result.reason === 'shutdown') return { kind: result.reason }
  if (result.reason === 'exited' && result.code === 0) return null
  return {
    kind: 'failed',
    code: 'job_failed',
    message: inWords(result, who),
    remedy: remedies[result.reason] ?? seeLog,
    retry: isWorthRetrying(result.reason),
  }
}

const seeLog = errorCatalogue.job_failed.remedy

/** What the user can do about an end that policy brought. */
const remedies: { readonly [R in ExitReason]?: string } = {
  time: 'Allow it more with policy.limits.time, or make the task smaller.',
  stall: `${seeLog} Allow it more with policy.limits.stall.`,
  output: `${seeLog} Allow it more with policy.limits.output.`,
  rule: 'See bulkhead show for the rule.',
}

function inWords({ reason, code, signal }: AgentRunResult, who: string): string {
  switch (reason) {
    case 'time':
      return `${who} ran longer than its time limit`
    case 'stall':
      return `${who} did nothing for longer than its stall limit`
    case 'output':
      return `${who} wrote more than its output limit`
    case 'rule':
      return `${who} was ended by an interception rule`
    default:
      return code === null ? `${who} was ended by ${signal ?? 'a signal'}` : `${who} exited with code ${code}`
  }
}

/** An error thrown while the attempt was being aborted is the abort. */
export function endOfError(cause: unknown, signal: AbortSignal): End {
  if (signal.aborted) return { kind: signal.reason === 'shutdown' ? 'shutdown' : 'cancelled' }
  const error = BulkheadError.from(cause)
  const { code, message, remedy } = error
  return { kind: 'failed', code, message, remedy, retry: isPassing(code) }
}

export interface ConcludeParts {
  readonly journal: Journal
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** In [0, 1). */
  readonly random?: () => number
}

type TakeIn = (spec: JobSpec) => Promise<EventPayloads['job.cancelled']['work']>

/** Writes the event that ends the attempt, unless the job was taken from this process meanwhile. */
export async function conclude(parts: ConcludeParts, claim: Claim, end: End, takeIn: TakeIn): Promise<void> {
  const { spec, attempt, orchestrator } = claim
  const settle = <T extends EventType>(type: T, data: (state: JobState) => EventPayloads[T]): void => {
    try {
      decide(parts.journal, spec, type, (state) => {
        if (state.view.orchestrator !== orchestrator) throw new BulkheadError('usage_wrong_state', `${spec.name} was taken over.`)
        return data(state)
      })
    } catch (error) {
      if (!BulkheadError.is(error) || error.code !== 'usage_wrong_state') throw error
      parts.logger.warn({ job: spec.name, event: type }, 'another process decided about the job first')
    }
  }
  switch (end.kind) {
    case 'finished': {
      const { commit, tree, counts } = end.snapshot ?? { commit: null, tree: null, counts: { files: 0, insertions: 0, deletions: 0 } }
      return settle('job.finished', () => ({ commit, tree, counts }))
    }
    case 'failed': {
      const again = end.retry && attempt < spec.retry.attempts
      const now = parts.now ?? Date.now
      const retryAt = again ? now() + retryDelay(spec.retry, attempt, parts.random ?? Math.random) : null
      // What was refused once is refused again.
      const work = again || end.code === 'intake_refused' ? null : await takeIn(spec)
      const { code, message, remedy } = end
      return settle('job.failed', () => ({ code, message, remedy, retryAt, work: work ?? null }))
    }
    case 'cancelled': {
      const work = await takeIn(spec)
      return settle('job.cancelled', (state) => ({ by: state.cancelBy ?? 'bulkhead', work: work ?? null }))
    }
    case 'shutdown':
      return settle('job.interrupted', () => ({ orchestrator, reason: 'shutdown' }))
  }
}
