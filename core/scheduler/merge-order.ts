import { orderByNeeds } from './dag.ts'
import type { JobState } from './state.ts'

/** Higher priority first, then what was approved first; but never before a job it needs. */
export function mergeOrder(states: readonly JobState[]): readonly JobState[] {
  const wished = states.toSorted(
    (a, b) => b.view.spec.priority - a.view.spec.priority || (a.approvedAt ?? Infinity) - (b.approvedAt ?? Infinity),
  )
  const byId = new Map(wished.map((state) => [state.view.spec.id, state]))
  const sorted = orderByNeeds(new Map(wished.map(({ view }) => [view.spec.id, view.spec.needs])))
  // Needs without a circle were checked at submission; if there is one all the same, the wish is as good as any order.
  if ('cycle' in sorted) return wished
  return sorted.order.flatMap((id) => byId.get(id) ?? [])
}
