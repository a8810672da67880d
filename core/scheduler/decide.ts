import { BulkheadError } from '../contracts/error.ts'
import type { EventPayloads, EventType, JournalEvent } from '../contracts/event.ts'
import type { JobSpec } from '../contracts/job.ts'
import type { Journal } from '../contracts/journal.ts'
import { initialState, reduce, type JobState } from './state.ts'
import { assertLegal } from './transitions.ts'

/** A job's state as the journal has it now. */
export function readState(journal: Journal, spec: JobSpec): JobState {
  return journal.events({ job: spec.id }).reduce(reduce, initialState(spec))
}

/**
 * Appends an event only if it is legal in the job's present state, whatever other processes do meanwhile. `choose` sees the state in which
 * the event is appended and may throw to call it off. Throws `usage_wrong_state`.
 */
export function decide<T extends EventType>(
  journal: Journal,
  spec: JobSpec,
  type: T,
  choose: (state: JobState) => EventPayloads[T],
): JournalEvent<T> {
  // Every lost round means that another process appended; that many are not possible for one job.
  for (let round = 0; round < 1_000; round++) {
    const state = readState(journal, spec)
    const data = choose(state)
    assertLegal(state, type)
    const event = journal.appendIf(spec.id, state.last, type, data)
    if (event !== undefined) return event
  }
  throw new BulkheadError('journal_busy', `${spec.name} changed too fast to decide about it.`, { job: spec.name })
}

/** Throws `usage_unknown_job`. */
export function findJob(journal: Journal, idOrName: string): JobSpec {
  const spec = journal.find(idOrName)
  if (spec !== undefined) return spec
  throw new BulkheadError('usage_unknown_job', `There is no job ${JSON.stringify(idOrName)}.`, {
    remedy: 'See bulkhead ls for the jobs there are.',
  })
}
