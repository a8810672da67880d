import { BulkheadError } from '../contracts/error.ts'
import type { EventType } from '../contracts/event.ts'
import type { JobStatus, JobView } from '../contracts/job.ts'
import type { JobState } from './state.ts'

interface Rule {
  /** Statuses in which the event may come. */
  readonly from: readonly JobStatus[]
  /** What else must hold: why not, or null. */
  readonly unless?: (view: JobView) => string | null
  /** What a person would call it: `approve`. */
  readonly verb: string
}

const notStarted = ['queued'] as const
const atWork = ['preparing', 'running', 'waiting'] as const
const atRest = ['queued', 'finished', 'approved', 'merged', 'rejected', 'failed', 'cancelled'] as const

const hasWork = (view: JobView): string | null => (view.tree === null ? 'it changed nothing' : null)
const notCancelling = (view: JobView): string | null => (view.cancelRequested ? 'it is being stopped already' : null)

/** When which event is legal. One table, so that the picture of a job's life has one place. */
const rules: { readonly [T in Exclude<EventType, 'job.submitted' | 'queue.paused' | 'queue.resumed'>]: Rule } = {
  'job.claimed': { from: notStarted, unless: notCancelling, verb: 'start' },
  'job.prepared': { from: ['preparing'], verb: 'prepare' },
  'job.verified': { from: ['preparing'], verb: 'verify' },
  'job.started': { from: ['preparing'], verb: 'start' },
  'job.denial': { from: atWork, verb: 'deny' },
  'job.changed': { from: atWork, verb: 'change' },
  'job.asked': { from: ['running', 'waiting'], verb: 'ask for' },
  'job.answered': { from: ['waiting'], verb: 'answer' },
  'job.exited': { from: ['running', 'waiting'], verb: 'end' },
  'job.finished': { from: ['running', 'waiting'], verb: 'finish' },
  'job.failed': { from: [...notStarted, ...atWork], verb: 'fail' },
  'job.interrupted': { from: atWork, verb: 'interrupt' },
  'job.cancel-requested': { from: [...notStarted, ...atWork], unless: notCancelling, verb: 'stop' },
  'job.cancelled': { from: [...notStarted, ...atWork], verb: 'stop' },
  'job.removed': { from: atRest, verb: 'remove' },
  'review.approved': { from: ['finished', 'rejected'], unless: hasWork, verb: 'approve' },
  'review.rejected': { from: ['finished', 'approved'], verb: 'reject' },
  'merge.requested': { from: ['approved'], verb: 'merge' },
  'merge.candidate': { from: ['merging'], verb: 'merge' },
  'merge.gate': { from: ['merging'], verb: 'merge' },
  'merge.landed': { from: ['merging'], verb: 'merge' },
  'merge.failed': { from: ['merging'], verb: 'merge' },
}

/** Why an event must not be appended to a job in this state; null when it may. */
export function refusal(state: JobState, type: EventType): string | null {
  if (type === 'queue.paused' || type === 'queue.resumed') return 'it is an event of the queue, not of a job'
  if (type === 'job.submitted') return state.last === 0 ? null : 'it was submitted already'
  if (state.last === 0) return 'it was never submitted'
  if (state.view.removed) return 'it was removed'
  const { from, unless } = rules[type]
  if (!from.includes(state.view.status)) return `it is ${state.view.status}`
  return unless?.(state.view) ?? null
}

/** Throws `usage_wrong_state` in words for the user. */
export function assertLegal(state: JobState, type: EventType): void {
  const why = refusal(state, type)
  if (why === null) return
  const { name } = state.view.spec
  const rule = type in rules ? rules[type as keyof typeof rules] : undefined
  throw new BulkheadError('usage_wrong_state', `Cannot ${rule?.verb ?? 'change'} ${name}: ${why}.`, {
    job: name,
    ...(rule === undefined ? {} : { remedy: remedyOf(type, state.view, rule) }),
  })
}

function remedyOf(type: EventType, { status, spec }: JobView, { from }: Rule): string {
  if (type === 'merge.requested' && status === 'finished')
    return `Look at it with bulkhead diff ${spec.name}, then bulkhead approve ${spec.name}.`
  return from.includes(status) ? `See bulkhead show ${spec.name}.` : `It must be ${from.join(' or ')}; see bulkhead ls.`
}
