import { z } from 'zod'
import type { NetworkPolicy } from '../core/contracts/index.ts'
import type { CompiledRule } from './rules.ts'
import { compileRule } from './rules.ts'

/** A policy as it stands in a plan: plain JSON, checked again when it is read back. */
export const rulesShape = z.array(z.strictObject({ host: z.string(), port: z.number().int().nullable() }))
export type PlannedRules = z.infer<typeof rulesShape>

export interface PolicySplit {
  readonly rules: PlannedRules
  readonly compiled: readonly CompiledRule[]
  /** What the gateway cannot hold, for `LayerPlan.unsupported`. */
  readonly unsupported: readonly string[]
}

export function splitPolicy(policy: NetworkPolicy): PolicySplit {
  const all = policy.allow.map((rule) => ({ rule, compiled: compileRule(rule) }))
  const held = all.flatMap(({ rule, compiled }) => (typeof compiled === 'string' ? [] : [{ rule, compiled }]))
  return {
    rules: held.map(({ rule: { host, port } }) => ({ host, port })),
    compiled: held.map(({ compiled }) => compiled),
    unsupported: all.flatMap(({ compiled }) => (typeof compiled === 'string' ? [`network.allow: ${compiled}`] : [])),
  }
}

export function compiledRules(rules: PlannedRules): CompiledRule[] {
  return rules.map(compileRule).filter((rule) => typeof rule !== 'string')
}

/** The step of a plan that says what gets through. */
export function describeRules(rules: PlannedRules): string {
  const allowed = rules.map(({ host, port }) => (port === null ? host : `${host}:${port}`))
  return allowed.length === 0 ? 'nothing is allowed' : `allowed: ${allowed.join(', ')}`
}
