import { BulkheadError } from '../contracts/error.ts'
import type { Evidence, LayerPlan } from '../contracts/layer.ts'

/** Throws `layer_unverified` unless every claim of `plan` has exactly one piece of evidence and all of it held. */
export function requireHeld(plan: LayerPlan, evidence: readonly Evidence[]): void {
  const claimed = plan.enforces.map(({ id }) => id)
  const faults = [
    ...evidence.filter(({ held }) => !held).map(({ claim, detail }) => `"${claim}" does not hold (${detail})`),
    ...claimed.flatMap((id) => {
      const count = evidence.filter(({ claim }) => claim === id).length
      return count === 1 ? [] : [count === 0 ? `"${id}" was not attacked` : `"${id}" has ${count} answers`]
    }),
    ...evidence.filter(({ claim }) => !claimed.includes(claim)).map(({ claim }) => `"${claim}" was never claimed`),
  ]
  if (faults.length === 0) return
  throw new BulkheadError('layer_unverified', `${plan.layer} (${plan.plugin}): ${faults.join('; ')}`, {
    plugin: plan.plugin,
    operation: 'verify',
  })
}
