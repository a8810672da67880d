import type { JobSpec } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Board } from './board.ts'
import { refusal } from './transitions.ts'

/** A job that this process took, by the event `job.claimed`. */
export interface Claim {
  readonly spec: JobSpec
  readonly attempt: number
  readonly orchestrator: string
}

export interface ClaimParts {
  readonly journal: Journal
  readonly board: Board
  readonly isAlive: Liveness
  readonly orchestrator: string
  /** Jobs at work at once over all processes of the repository. */
  readonly concurrency: number
}

/**
 * Takes a job unless somebody else has (`gone`), every place is occupied (`full`), or another process is just claiming (`contended`).
 * Counting and claiming happen under one lock, so that two processes never fill the last place together; the compare-and-swap alone
 * already keeps a job from being taken twice.
 */
export function claimJob(parts: ClaimParts, id: string): Claim | 'gone' | 'full' | 'contended' {
  const { journal, board, orchestrator } = parts
  using lock = journal.lock('claim', orchestrator)
  if (lock === undefined) return 'contended'
  board.sync()
  const state = board.states.get(id)
  if (state === undefined || refusal(state, 'job.claimed') !== null) return 'gone'
  if (occupied(parts) >= parts.concurrency) return 'full'
  // An interrupted attempt did not fail, so it is not counted against the retry rule.
  const attempt = state.interrupted ? state.view.attempt : state.view.attempt + 1
  const event = journal.appendIf(id, state.last, 'job.claimed', { orchestrator, attempt })
  return event === undefined ? 'gone' : { spec: state.view.spec, attempt, orchestrator }
}

/** Jobs that a live process works on. Those of dead ones are about to be given back. */
function occupied({ journal, board, isAlive }: ClaimParts): number {
  const holders = board.atWork.map((state) => state.view.orchestrator)
  if (holders.length === 0) return 0
  const living = new Set(journal.orchestrators().flatMap((record) => (isAlive(record) ? [record.id] : [])))
  return holders.filter((holder) => holder !== null && living.has(holder)).length
}
