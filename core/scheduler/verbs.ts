import { BulkheadError } from '../contracts/error.ts'
import type { OpenQuestion } from '../contracts/event.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Workspaces } from '../contracts/workspace.ts'
import { decide, findJob, readState } from './decide.ts'
import type { Presence } from './presence.ts'
import type { JobState } from './state.ts'
import { assertLegal } from './transitions.ts'
import { waitForLock } from './wait-lock.ts'

/** Who may be asked to do it, and in whose name. */
export interface CancelParts {
  readonly journal: Journal
  readonly isAlive: Liveness
}

/**
 * Stops a job: one that nobody works on is cancelled at once (`cancelled`), another is asked to end by the process that runs it, which sees
 * that within a fraction of a second (`requested`). Throws `usage_unknown_job`, `usage_wrong_state`.
 */
export function cancelJob(parts: CancelParts, idOrName: string, by: string): 'cancelled' | 'requested' {
  const { journal } = parts
  const spec = findJob(journal, idOrName)
  for (;;) {
    const state = readState(journal, spec)
    assertLegal(state, 'job.cancel-requested')
    if (state.view.status === 'queued') {
      if (journal.appendIf(spec.id, state.last, 'job.cancelled', { by }) !== undefined) return 'cancelled'
    } else if (isHeld(parts, state)) {
      if (journal.appendIf(spec.id, state.last, 'job.cancel-requested', { by }) !== undefined) return 'requested'
    } else {
      // Its process is gone, so nobody would hear the request; given back first, it is cancelled in the next round.
      journal.appendIf(spec.id, state.last, 'job.interrupted', { orchestrator: state.view.orchestrator ?? '', reason: 'died' })
    }
  }
}

function isHeld({ journal, isAlive }: CancelParts, { view }: JobState): boolean {
  return journal.orchestrators().some((record) => record.id === view.orchestrator && isAlive(record))
}

/**
 * Answers a question of a job that waits; without a number the one that has waited longest. Returns it. Throws `usage_unknown_job`,
 * `usage_wrong_state` (also when that question waits no more), `usage_invalid` for a number that was never asked.
 */
export function answerQuestion(
  journal: Journal,
  idOrName: string,
  answer: { readonly allow: boolean; readonly by: string; readonly question: number | null },
): OpenQuestion {
  const spec = findJob(journal, idOrName)
  for (;;) {
    const state = readState(journal, spec)
    assertLegal(state, 'job.answered')
    const { questions } = state.view
    const chosen = answer.question === null ? questions[0] : questions.find(({ question }) => question === answer.question)
    if (chosen === undefined) {
      throw new BulkheadError('usage_invalid', `question ${answer.question} of ${spec.name} does not wait for an answer`, {
        job: spec.name,
        remedy: `Waiting: ${questions.map(({ question }) => question).join(', ')}.`,
      })
    }
    const data = { question: chosen.question, allow: answer.allow, by: answer.by }
    if (journal.appendIf(spec.id, state.last, 'job.answered', data) !== undefined) return chosen
  }
}

export interface RemoveParts {
  readonly journal: Journal
  readonly workspaces: Workspaces
  readonly presence: Presence
}

/**
 * Removes a job that is not at work. What it changed and did not land is kept under a backup ref, which is returned. Throws
 * `usage_unknown_job`, `usage_wrong_state`, and what the workspace throws; then the job is still there.
 */
export async function removeJob(parts: RemoveParts, idOrName: string, by: string): Promise<string | null> {
  const { journal, workspaces, presence } = parts
  const spec = findJob(journal, idOrName)
  // Nobody lands it or removes it at the same time.
  using _ = await waitForLock(journal, `job:${spec.id}`, presence.id)
  assertLegal(readState(journal, spec), 'job.removed')
  // Cancelled first, so that nobody starts it while its workspace goes.
  if (readState(journal, spec).view.status === 'queued') decide(journal, spec, 'job.cancelled', (state) => onlyQueued(state, by))
  const { view } = readState(journal, spec)
  // What the tree holds beyond that commit (of an attempt that was interrupted, for instance) is kept too.
  const backup = await workspaces.remove(spec.name, { commit: view.commit, merged: view.status === 'merged' })
  decide(journal, spec, 'job.removed', () => ({ backup }))
  return backup
}

function onlyQueued(state: JobState, by: string): { by: string } {
  if (state.view.status === 'queued') return { by }
  throw new BulkheadError('usage_wrong_state', `Cannot remove ${state.view.spec.name}: it is ${state.view.status}.`, {
    job: state.view.spec.name,
  })
}

/** No process of this repository starts a job until the queue is resumed; jobs at work go on. */
export function pauseQueue(journal: Journal, by: string): void {
  journal.append(null, 'queue.paused', { by })
}

export function resumeQueue(journal: Journal, by: string): void {
  journal.append(null, 'queue.resumed', { by })
}

/** Stores jobs while no other process does: `build` sees names and ports that stay as they are until its jobs are stored. */
export async function submitJobs(
  { journal, presence }: Pick<RemoveParts, 'journal' | 'presence'>,
  build: () => Promise<readonly JobSpec[]>,
): Promise<readonly JobSpec[]> {
  using _ = await waitForLock(journal, 'submit', presence.id)
  const specs = await build()
  journal.submit(specs)
  return specs
}
