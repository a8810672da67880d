import type { Attested } from '../contracts/enforcement.ts'
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

/** The same judgement without throwing: one entry for each claim of `plan`, and what nobody claimed as it came. */
export function attested(plan: LayerPlan, evidence: readonly Evidence[]): readonly Attested[] {
  const { layer, plugin, enforces } = plan
  const missing = enforces
    .filter(({ id }) => evidence.every(({ claim }) => claim !== id))
    .map(({ id }) => ({ claim: id, held: false, detail: 'it was not attacked' }))
  return [...evidence, ...missing].map((one) => {
    const claim = enforces.find(({ id }) => id === one.claim)
    return { ...one, held: one.held && claim !== undefined, layer, plugin, text: claim?.text ?? 'This was never claimed.' }
  })
}

/** Attacking went wrong, so nothing is known of any claim. */
export function nothingHeld(plan: LayerPlan, error: unknown): readonly Attested[] {
  const { message } = BulkheadError.from(error)
  return attested(
    plan,
    plan.enforces.map(({ id }) => ({ claim: id, held: false, detail: message })),
  )
}
