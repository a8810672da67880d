import type { AgentRuns } from '../contracts/agent.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Logger } from '../contracts/tokens.ts'
import type { Landed, MergeQueue, Workspaces } from '../contracts/workspace.ts'
import { Board } from './board.ts'
import { commitMessage } from './commit-message.ts'
import { decide, findJob, readState } from './decide.ts'
import { runGates, sweepGates } from './gates.ts'
import { mergeOrder } from './merge-order.ts'
import type { Presence } from './presence.ts'
import type { JobState } from './state.ts'
import { assertLegal } from './transitions.ts'
import { waitForLock } from './wait-lock.ts'

export interface LandingParts {
  readonly journal: Journal
  readonly presence: Presence
  readonly workspaces: Workspaces
  readonly mergeQueue: MergeQueue
  readonly agentRuns: AgentRuns
  readonly isAlive: Liveness
  readonly logger: Logger
}

export interface MergeRequest {
  /** Ids or names; `approved`: all that are approved, and those whose landing was interrupted. */
  readonly jobs: readonly string[] | 'approved'
  readonly by: string
  readonly signal: AbortSignal
}

export interface MergeResult {
  readonly job: JobSpec
  readonly landed: Landed | null
  /** Why it did not land; the job's reason says so too. */
  readonly error: BulkheadError | null
}

/** Review and merge: what a person decides about finished work, and how that reaches the target. */
export class Landing {
  readonly #parts: LandingParts

  constructor(parts: LandingParts) {
    this.#parts = parts
  }

  /**
   * Approves the tree that was taken in last. `tree` is the one that was looked at, where the caller knows it. Approving the same tree again
   * changes nothing. Throws `usage_unknown_job`, `usage_wrong_state`, `review_stale`.
   */
  approve(idOrName: string, by: string, tree?: string): string {
    const { journal } = this.#parts
    const spec = findJob(journal, idOrName)
    const present = readState(journal, spec).view
    if (present.status === 'approved' && present.approvedTree === (tree ?? present.tree) && present.tree !== null) return present.tree
    const event = decide(journal, spec, 'review.approved', (state) => {
      assertLegal(state, 'review.approved')
      const finished = state.view.tree ?? ''
      if (tree !== undefined && tree !== finished) {
        throw new BulkheadError('review_stale', `${spec.name} changed after it was looked at.`, {
          job: spec.name,
          remedy: `Look at it again with bulkhead diff ${spec.name}.`,
        })
      }
      return { tree: finished, by }
    })
    return event.data.tree
  }

  /** The work stays in its ref and its workspace. Throws `usage_unknown_job`, `usage_wrong_state`. */
  reject(idOrName: string, by: string, reason: string): void {
    const { journal } = this.#parts
    decide(journal, findJob(journal, idOrName), 'review.rejected', () => ({ by, reason }))
  }

  /**
   * Lands approved jobs one after the other, one process at a time per target. A job that does not land does not hold up the others: its
   * error is in its result. Throws `usage_unknown_job`, `usage_wrong_state` before anything lands, and `interrupted` while it waits.
   */
  async merge(request: MergeRequest): Promise<readonly MergeResult[]> {
    const { journal, presence, workspaces, logger, isAlive } = this.#parts
    await sweepGates({ workspaces, logger }, journal, isAlive)
    const chosen = this.#choose(request.jobs)
    const results: MergeResult[] = []
    for (const target of new Set(chosen.map(({ view }) => view.spec.target))) {
      using _ = await waitForLock(journal, `merge:${target}`, presence.id, request.signal)
      for (const { view } of chosen.filter((state) => state.view.spec.target === target)) {
        results.push(await this.#landOne(view.spec, request))
      }
    }
    return results
  }

  #choose(jobs: readonly string[] | 'approved'): readonly JobState[] {
    const { journal } = this.#parts
    const board = new Board(journal)
    board.sync()
    if (jobs === 'approved') {
      const waiting = [...board.states.values()].filter(({ view }) => !view.removed && ['approved', 'merging'].includes(view.status))
      return mergeOrder(waiting)
    }
    const states = jobs.map((idOrName) => {
      const state = readState(journal, findJob(journal, idOrName))
      if (state.view.status !== 'merging') assertLegal(state, 'merge.requested')
      return state
    })
    return mergeOrder([...new Map(states.map((state) => [state.view.spec.id, state])).values()])
  }

  /** Called with the target's lock held, so a job that is `merging` now was left so by a process that died. */
  async #landOne(spec: JobSpec, { by, signal }: MergeRequest): Promise<MergeResult> {
    const { journal, presence, mergeQueue } = this.#parts
    try {
      using _ = await waitForLock(journal, `job:${spec.id}`, presence.id, signal)
      if (readState(journal, spec).view.status !== 'merging') decide(journal, spec, 'merge.requested', () => ({ target: spec.target, by }))
      try {
        const state = readState(journal, spec)
        const landed = await mergeQueue.land({
          job: spec.id,
          name: spec.name,
          commit: state.view.commit ?? '',
          tree: state.view.approvedTree ?? '',
          base: spec.base,
          target: spec.target,
          message: commitMessage(spec, state.approvedBy === null ? {} : { 'Bulkhead-Approved-By': state.approvedBy }),
          check: (candidate) => this.#check(spec, candidate, signal),
        })
        const { commit, from, checkout } = landed
        decide(journal, spec, 'merge.landed', () => ({ target: spec.target, commit, from, checkout }))
        return { job: spec, landed, error: null }
      } catch (cause) {
        const error = BulkheadError.from(cause)
        const paths = error.code === 'merge_conflict' ? (error.details.where ?? '').split('\n').filter((path) => path !== '') : []
        decide(journal, spec, 'merge.failed', () => ({ code: error.code, message: error.message, paths }))
        throw error
      }
    } catch (cause) {
      const error = BulkheadError.from(cause)
      if (error.code.startsWith('journal_')) throw error
      return { job: spec, landed: null, error }
    }
  }

  async #check(
    spec: JobSpec,
    candidate: { readonly commit: string; readonly tree: string; readonly onto: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { journal, presence } = this.#parts
    if (signal.aborted) throw new BulkheadError('interrupted', 'Stopped before it landed.')
    const { commit, tree, onto } = candidate
    decide(journal, spec, 'merge.candidate', () => ({ commit, tree, onto }))
    await runGates({ ...this.#parts, orchestrator: presence.id }, spec, commit, signal, (gate) => {
      decide(journal, spec, 'merge.gate', () => gate)
    })
    if (signal.aborted) throw new BulkheadError('interrupted', 'Stopped before it landed.')
  }
}
