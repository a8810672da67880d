import type { EnforcementPlan } from '../contracts/enforcement.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { EnvironmentSpec } from '../contracts/job.ts'
import type { Availability, Layer, LayerPlan, LayerPlugin, Tier } from '../contracts/layer.ts'

/** One layer of an environment: the plugin that was chosen for it and what its probe said. */
export interface ChosenLayer {
  readonly layer: Layer
  readonly plugin: LayerPlugin
  readonly options: unknown
  readonly availability: Availability
}

export interface PlanRules {
  /** The plugin's own plan; pure. `capabilities`: those of the other layers. */
  readonly planOf: (chosen: ChosenLayer, capabilities: readonly string[]) => LayerPlan
  /** Installed plugins that offer a capability, for the remedy. */
  readonly providersOf: (capability: string) => readonly string[]
}

interface Complaint {
  readonly chosen: ChosenLayer
  readonly what: string
  readonly remedy: string
}

/**
 * Decides whether an environment can hold a policy here. Pure as long as the plugins' plans are.
 *
 * Throws `layer_unusable` or `layer_unsupported`, in one line with every complaint there is. A layer of tier `none` that was chosen by
 * name needs no `degrade`: choosing it is the request. What a layer requires of the others cannot be degraded, since its claims rest on it.
 * A layer that cannot work here is refused too, unless it is degraded and has something to offer without enforcing.
 */
export function decide(environment: EnvironmentSpec, chosen: readonly ChosenLayer[], rules: PlanRules): EnforcementPlan {
  refuseUnusable(environment, chosen)
  refuse(
    environment,
    'layer_unsupported',
    chosen.flatMap((one) => unmet(one, chosen, rules)),
  )
  const planned = chosen.map((one) => ({ chosen: one, plan: rules.planOf(one, offeredTo(one, chosen)) }))
  refuse(environment, 'layer_unusable', planned.flatMap(contradiction))
  const weak = planned
    .map(({ chosen: one, plan }) => ({ chosen: one, missing: notHeld(one, plan) }))
    .filter(({ missing }) => missing.length > 0)
  const accepted = weak.filter((one) => environment.degrade.includes(one.chosen.layer))
  const refused = weak.filter((one) => !accepted.includes(one))
  refuse(
    environment,
    'layer_unsupported',
    refused.map(({ chosen: one, missing }) => ({
      chosen: one,
      what: `cannot hold: ${missing.join('; ')}`,
      remedy: `Choose another ${one.layer} plugin, take this out of the policy, or accept it with "degrade: [${one.layer}]" in environment "${environment.name}".`,
    })),
  )
  return { layers: planned.map(({ plan }) => plan), degraded: accepted.map((one) => one.chosen.layer) }
}

/** Throws `layer_unusable` with every layer that cannot work here. */
export function refuseUnusable(environment: EnvironmentSpec, chosen: readonly ChosenLayer[]): void {
  refuse(
    environment,
    'layer_unusable',
    chosen.flatMap((one) => unusable(one, environment)),
  )
}

function unusable(chosen: ChosenLayer, environment: EnvironmentSpec): readonly Complaint[] {
  const { availability, layer } = chosen
  if (availability.usable) return []
  const { reason, remedy, degradable = false } = availability
  if (degradable && environment.degrade.includes(layer)) return []
  const instead = degradable ? ` Or accept it with "degrade: [${layer}]" in environment "${environment.name}".` : ''
  return [{ chosen, what: `cannot work here: ${reason}`, remedy: `${remedy}${instead}`.trimStart() }]
}

/** A probe that said no and a plan that claims something: one of them is wrong, and it must not be the plan that is believed. */
function contradiction({ chosen, plan }: { readonly chosen: ChosenLayer; readonly plan: LayerPlan }): readonly Complaint[] {
  if (chosen.availability.usable || plan.tier === 'none') return []
  return [{ chosen, what: `plans to enforce what its probe says it cannot: ${chosen.availability.reason}`, remedy: '' }]
}

function unmet(chosen: ChosenLayer, all: readonly ChosenLayer[], rules: PlanRules): readonly Complaint[] {
  const offered = offeredTo(chosen, all)
  return chosen.plugin.requires
    .filter((capability) => !offered.includes(capability))
    .map((capability) => {
      const providers = rules.providersOf(capability)
      return {
        chosen,
        what: `requires "${capability}", which no other layer of this environment provides`,
        remedy: providers.length === 0 ? `No installed plugin provides "${capability}".` : `Provided by: ${providers.join(', ')}.`,
      }
    })
}

function offeredTo(chosen: ChosenLayer, all: readonly ChosenLayer[]): readonly string[] {
  const others = all.filter((other) => other !== chosen && other.availability.usable)
  return [...new Set(others.flatMap(({ plugin }) => plugin.provides))]
}

/** What this layer leaves open without the user having chosen that by the plugin's name. */
function notHeld(chosen: ChosenLayer, plan: LayerPlan): readonly string[] {
  const probed = tierOf(chosen.availability)
  if (probed === 'none' && plan.tier === 'none') return []
  // A plugin that is chosen as a wall may not turn into none in its plan without anybody having said so.
  return plan.tier === 'none' && plan.unsupported.length === 0 ? ['anything of this policy'] : plan.unsupported
}

function tierOf(availability: Availability): Tier | undefined {
  return availability.usable ? availability.tier : undefined
}

function refuse(environment: EnvironmentSpec, code: 'layer_unusable' | 'layer_unsupported', complaints: readonly Complaint[]): void {
  const [first] = complaints
  if (first === undefined) return
  const text = complaints.map(({ chosen, what }) => `${chosen.layer} (${chosen.plugin.id}) ${what}`).join('; ')
  const remedies = [...new Set(complaints.map(({ remedy }) => remedy))].filter((remedy) => remedy !== '')
  throw new BulkheadError(code, `environment "${environment.name}": ${text}`, {
    plugin: first.chosen.plugin.id,
    ...(remedies.length > 0 && { remedy: remedies.join(' ') }),
  })
}
