import type { EventType, JournalEvent } from '../contracts/event.ts'
import type { JobSpec, JobView } from '../contracts/job.ts'

/** A job's derived view and the few facts that only decisions need. */
export interface JobState {
  readonly view: JobView
  /** Sequence of the job's last event; 0 before the first. */
  readonly last: number
  /** How often in a row a process died while it ran this job. */
  readonly deaths: number
  /** The last attempt was interrupted: the next claim goes on with it instead of counting a new one. */
  readonly interrupted: boolean
  /** Who asked to stop it. */
  readonly cancelBy: string | null
  /** Place in the queue of approved work: sequence of the approval. */
  readonly approvedAt: number | null
  readonly approvedBy: string | null
}

export function initialState(spec: JobSpec): JobState {
  const view: JobView = {
    spec,
    status: 'queued',
    reason: null,
    attempt: 0,
    retryAt: null,
    orchestrator: null,
    cancelRequested: false,
    removed: false,
    enforcement: [],
    denials: 0,
    questions: [],
    counts: { files: 0, insertions: 0, deletions: 0 },
    commit: null,
    tree: null,
    approvedTree: null,
    landed: null,
    startedAt: null,
    endedAt: null,
  }
  return { view, last: 0, deaths: 0, interrupted: false, cancelBy: null, approvedAt: null, approvedBy: null }
}

/** Folds one event into a job's state. Total: an event that should not have come changes what it says and breaks nothing. */
export function reduce(state: JobState, event: JournalEvent): JobState {
  const change = (steps[event.type] as Step<EventType>)(state, event)
  const view = change.view === undefined ? state.view : { ...state.view, ...change.view }
  return { ...state, ...change, last: event.sequence, view }
}

type Change = Partial<Omit<JobState, 'view' | 'last'>> & { readonly view?: Partial<JobView> }
type Step<T extends EventType> = (state: JobState, event: JournalEvent<T>) => Change

/** What is true of every job that no process works on and that nobody waits for. */
const idle = { questions: [], orchestrator: null, cancelRequested: false, retryAt: null } as const

/** Failures to land that have nothing to do with the work: it stays approved and can be tried again as it is. */
const workStaysApproved = (code: string): boolean => !['merge_conflict', 'merge_gate_failed', 'review_stale'].includes(code)

const steps: { readonly [T in EventType]: Step<T> } = {
  'job.submitted': () => ({ view: { status: 'queued', reason: null } }),
  'job.claimed': (_, { at, data }) => ({
    interrupted: false,
    view: {
      status: 'preparing',
      reason: null,
      attempt: data.attempt,
      orchestrator: data.orchestrator,
      retryAt: null,
      startedAt: at,
      endedAt: null,
    },
  }),
  'job.prepared': (_, { data }) => ({
    view: {
      enforcement: data.plans.map(({ layer, plugin, tier }) => ({ layer, plugin, tier, degraded: data.degraded.includes(layer) })),
    },
  }),
  'job.verified': () => ({}),
  'job.started': () => ({ view: { status: 'running' } }),
  'job.denial': ({ view }, { data }) => ({ view: { denials: view.denials + 1 + data.lost } }),
  'job.asked': ({ view }, { data }) => ({ view: waitingFor([...view.questions, data]) }),
  'job.answered': ({ view }, { data }) => {
    const others = view.questions.filter(({ question }) => question !== data.question)
    // Answered twice, or after its job had ended: then it says nothing any more.
    return others.length === view.questions.length ? {} : { view: waitingFor(others) }
  },
  'job.changed': (_, { data }) => ({ view: { counts: data } }),
  'job.exited': ({ view }) => ({ view: view.cancelRequested ? {} : { reason: 'the agent ended; its work is taken in' } }),
  'job.finished': (_, { at, data }) => ({
    deaths: 0,
    view: {
      ...idle,
      status: 'finished',
      reason: data.tree === null ? 'nothing was changed' : null,
      counts: data.counts,
      commit: data.commit,
      tree: data.tree,
      endedAt: at,
    },
  }),
  'job.failed': ({ view }, { at, data }) => ({
    deaths: 0,
    view: {
      ...idle,
      // Somebody asked to cancel it: that outlives a failed attempt.
      cancelRequested: data.retryAt !== null && view.cancelRequested,
      status: data.retryAt === null ? 'failed' : 'queued',
      reason:
        data.retryAt === null ? kept(data.message, data.work) : `attempt ${view.attempt} of ${view.spec.retry.attempts}: ${data.message}`,
      retryAt: data.retryAt,
      ...work(data.work),
      endedAt: at,
    },
  }),
  'job.interrupted': ({ view, deaths }, { at, data }) => ({
    interrupted: true,
    deaths: data.reason === 'died' ? deaths + 1 : deaths,
    view: {
      ...idle,
      cancelRequested: view.cancelRequested,
      status: 'queued',
      reason: data.reason === 'died' ? 'interrupted: the process that ran it died' : 'interrupted: Bulkhead was stopped',
      endedAt: at,
    },
  }),
  'job.cancel-requested': (_, { data }) => ({ cancelBy: data.by, view: { cancelRequested: true, reason: `${data.by} asked to stop it` } }),
  'job.cancelled': (_, { at, data }) => ({
    view: { ...idle, status: 'cancelled', reason: kept(`stopped by ${data.by}`, data.work), ...work(data.work), endedAt: at },
  }),
  'job.removed': (_, { data }) => ({
    view: { removed: true, reason: data.backup === null ? 'removed' : `removed; its work is kept as ${data.backup}` },
  }),
  'review.approved': (_, { sequence, data }) => ({
    approvedAt: sequence,
    approvedBy: data.by,
    view: { status: 'approved', approvedTree: data.tree, reason: null },
  }),
  'review.rejected': (_, { data }) => ({
    approvedAt: null,
    approvedBy: null,
    view: { status: 'rejected', approvedTree: null, reason: data.reason === '' ? `rejected by ${data.by}` : data.reason },
  }),
  'merge.requested': () => ({ view: { status: 'merging', reason: null } }),
  'merge.candidate': (_, { data }) => ({ view: { reason: `checking the candidate ${data.commit.slice(0, 12)}` } }),
  'merge.gate': (_, { data }) => ({ view: { reason: `gate ${data.name} ${data.passed ? 'passed' : 'failed'}` } }),
  'merge.landed': (_, { data }) => ({
    view: {
      status: 'merged',
      landed: data.commit,
      reason: data.checkout === 'behind' ? 'landed; the checkout of the target has to be updated by hand' : null,
    },
  }),
  'merge.failed': (_, { data }) =>
    workStaysApproved(data.code)
      ? { view: { status: 'approved', reason: `did not land: ${data.message}` } }
      : { approvedAt: null, approvedBy: null, view: { status: 'finished', approvedTree: null, reason: `did not land: ${data.message}` } },
  'queue.paused': () => ({}),
  'queue.resumed': () => ({}),
}

/** A job waits as long as one of its questions does. */
function waitingFor(questions: JobView['questions']): Partial<JobView> {
  const [first] = questions
  if (first === undefined) return { questions, status: 'running', reason: null }
  return { questions, status: 'waiting', reason: `asks for ${first.on} ${first.object}; bulkhead answer` }
}

type Work = { readonly commit: string; readonly tree: string; readonly counts: JobView['counts'] } | null | undefined

const work = (taken: Work): Partial<JobView> =>
  taken === null || taken === undefined ? {} : { commit: taken.commit, tree: taken.tree, counts: taken.counts }

const kept = (reason: string, taken: Work): string =>
  taken === null || taken === undefined ? reason : `${reason}; what it changed is kept`
