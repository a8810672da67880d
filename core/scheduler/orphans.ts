import { errorCatalogue } from '../contracts/error.ts'
import type { JobView } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { Logger } from '../contracts/tokens.ts'
import type { Board } from './board.ts'

/**
 * A job during which a process died this often in a row is not started again: it may well be the cause. Not fewer, because the other jobs
 * that were at work share the blame.
 */
const mostDeaths = 5

export interface OrphanParts {
  readonly journal: Journal
  readonly board: Board
  readonly isAlive: Liveness
  readonly logger: Logger
  /** Undoes what dead processes left behind (receipts, half-made workspaces). */
  recover(): Promise<unknown>
}

/**
 * Gives jobs of processes that are gone back to the queue, after what they left was undone. Several processes may do it at once: each job is
 * given back by compare-and-swap. Returns how many.
 */
export async function adoptOrphans(parts: OrphanParts): Promise<number> {
  const adopted = orphans(parts).length === 0 ? 0 : await adopt(parts)
  forget(parts)
  return adopted
}

async function adopt(parts: OrphanParts): Promise<number> {
  const { journal, board, logger } = parts
  try {
    await parts.recover()
  } catch (error) {
    // The jobs stay where they are until it can be done: nothing is started on top of what is not undone.
    logger.error({ error: error instanceof Error ? error.message : String(error) }, 'what a dead process left could not be undone')
    return 0
  }
  board.sync()
  let adopted = 0
  for (const { view, last } of orphans(parts)) {
    const { spec, orchestrator } = view
    const event = journal.appendIf(spec.id, last, 'job.interrupted', { orchestrator: orchestrator ?? '', reason: 'died' })
    if (event === undefined) continue
    adopted += 1
    logger.warn({ job: spec.name, orchestrator }, 'the process that ran the job died; the job is in the queue again')
    board.sync()
    if ((board.states.get(spec.id)?.deaths ?? 0) < mostDeaths) continue
    const message = `a process of Bulkhead died ${mostDeaths} times in a row while it ran this job`
    const { remedy } = errorCatalogue.internal
    journal.appendIf(spec.id, event.sequence, 'job.failed', { code: 'internal', message, remedy, retryAt: null })
  }
  board.sync()
  return adopted
}

function orphans({ journal, board, isAlive }: Pick<OrphanParts, 'journal' | 'board' | 'isAlive'>): Board['atWork'] {
  if (board.atWork.length === 0) return []
  // Read after the board: a process registers before it claims, so whoever holds a claim we see is in this list if it is there at all.
  const living = new Set(journal.orchestrators().flatMap((record) => (isAlive(record) ? [record.id] : [])))
  return board.atWork.filter(({ view }) => view.orchestrator === null || !living.has(view.orchestrator))
}

/** As listings show them: what a dead process worked on says so until somebody gives it back. */
export function withOrphans(parts: Pick<OrphanParts, 'journal' | 'board' | 'isAlive'>): readonly JobView[] {
  const lost = new Set(orphans(parts).map(({ view }) => view.spec.id))
  const reason = 'the process that ran it is gone; bulkhead run goes on with it'
  return parts.board.views().map((view) => (lost.has(view.spec.id) ? { ...view, reason } : view))
}

/** Dead processes that nothing refers to any more are struck off the list. */
function forget({ journal, board, isAlive }: OrphanParts): void {
  const owners = new Set([
    ...journal.receipts().map((receipt) => receipt.orchestrator),
    ...board.atWork.map(({ view }) => view.orchestrator),
  ])
  for (const record of journal.orchestrators()) if (!isAlive(record) && !owners.has(record.id)) journal.unregister(record.id)
}
