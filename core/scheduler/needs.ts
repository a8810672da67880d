import type { JobSpec, JobStatus } from '../contracts/job.ts'
import type { JobState } from './state.ts'

export type Readiness =
  | { readonly kind: 'ready' }
  /** Names of the jobs it waits for. */
  | { readonly kind: 'waits'; readonly for: readonly string[] }
  /** It can never start; in words. */
  | { readonly kind: 'blocked'; readonly reason: string }

const satisfied: readonly JobStatus[] = ['finished', 'approved', 'merging', 'merged']
const hopeless: readonly JobStatus[] = ['failed', 'cancelled', 'rejected']

/** Whether the jobs that `spec` needs let it start. */
export function readiness(spec: JobSpec, states: ReadonlyMap<string, JobState>): Readiness {
  const waits: string[] = []
  for (const id of spec.needs) {
    const need = states.get(id)?.view
    if (need === undefined) return { kind: 'blocked', reason: `needs ${id}, which does not exist` }
    if (satisfied.includes(need.status)) continue
    if (hopeless.includes(need.status)) {
      return { kind: 'blocked', reason: `needs ${need.spec.name}, which ${need.status === 'failed' ? 'failed' : `was ${need.status}`}` }
    }
    if (need.removed) return { kind: 'blocked', reason: `needs ${need.spec.name}, which was removed` }
    waits.push(need.spec.name)
  }
  return waits.length === 0 ? { kind: 'ready' } : { kind: 'waits', for: waits }
}
