import { BulkheadError } from '../contracts/error.ts'
import type { JournalEvent } from '../contracts/event.ts'
import type { JobSpec, JobStatus, JobView } from '../contracts/job.ts'
import type { Journal } from '../contracts/journal.ts'
import { findJob } from './decide.ts'
import { readiness } from './needs.ts'
import { initialState, reduce, type JobState } from './state.ts'

/** The derived state of all jobs of a journal, kept up to date by reading only what is new. */
export class Board {
  readonly #journal: Journal
  readonly #states = new Map<string, JobState>()
  /** Kept apart so that a long history costs nothing. */
  readonly #open = new Map<string, JobState>()
  #paused: string | null = null
  #last = 0

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** In the order of submission. */
  get states(): ReadonlyMap<string, JobState> {
    return this.#states
  }

  /** Jobs that a process says it works on. */
  get atWork(): readonly JobState[] {
    return this.open.filter(({ view }) => view.status !== 'queued')
  }

  /** Jobs that are not settled: queued or at work, and not removed. */
  get open(): readonly JobState[] {
    return [...this.#open.values()]
  }

  /** Who paused the queue; null when it is not. */
  get paused(): string | null {
    return this.#paused
  }

  /** Reads what happened since the last call and returns it. */
  sync(): readonly JournalEvent[] {
    const events = this.#journal.events({ after: this.#last })
    const specs = new Map<string, JobSpec>()
    // Many at once only when a journal is read for the first time: one query then, instead of one per job.
    if (events.filter((event) => event.type === 'job.submitted').length > 8) {
      for (const spec of this.#journal.jobs()) specs.set(spec.id, spec)
    }
    for (const event of events) this.#fold(event, specs)
    return events
  }

  views(): readonly JobView[] {
    return [...this.#states.values()].map((state) => ({ ...state.view, reason: this.#reason(state) }))
  }

  view(id: string): JobView | undefined {
    const state = this.#states.get(id)
    return state === undefined ? undefined : { ...state.view, reason: this.#reason(state) }
  }

  #fold(event: JournalEvent, specs: ReadonlyMap<string, JobSpec>): void {
    this.#last = event.sequence
    if (event.type === 'queue.paused') this.#paused = event.data.by
    if (event.type === 'queue.resumed') this.#paused = null
    if (event.job === null) return
    const spec = this.#states.get(event.job)?.view.spec ?? specs.get(event.job) ?? this.#journal.find(event.job)
    if (spec === undefined) return
    const state = reduce(this.#states.get(spec.id) ?? initialState(spec), event)
    this.#states.set(spec.id, state)
    if (isOpen(state)) this.#open.set(spec.id, state)
    else this.#open.delete(spec.id)
  }

  /** Why a queued job does not run depends on other jobs and the queue, so it is not in its own events. */
  #reason({ view }: JobState): string | null {
    if (view.status !== 'queued' || view.removed || view.cancelRequested) return view.reason
    const ready = readiness(view.spec, this.#states)
    if (ready.kind === 'blocked') return ready.reason
    if (ready.kind === 'waits') return `waits for ${ready.for.join(', ')}`
    return this.#paused === null ? view.reason : `the queue was paused by ${this.#paused}`
  }
}

function isOpen({ view }: JobState): boolean {
  return !view.removed && (['queued', 'preparing', 'running', 'waiting'] as readonly JobStatus[]).includes(view.status)
}

/** All jobs of a journal as they are now, in the order of submission; removed ones too. */
export function deriveJobs(journal: Journal): readonly JobView[] {
  const board = new Board(journal)
  board.sync()
  return board.views()
}

/** One job as it is now, by id or name. Throws `usage_unknown_job`. */
export function deriveJob(journal: Journal, idOrName: string): JobView {
  const board = new Board(journal)
  board.sync()
  const view = board.view(findJob(journal, idOrName).id)
  if (view === undefined) throw new BulkheadError('journal_corrupt', 'The journal holds a job that was never submitted.')
  return view
}
