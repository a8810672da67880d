import { z } from 'zod'
import type { InterceptionRule, LayerPlan, SeccompInterception } from '../../core/contracts/index.ts'
import { acts, isAnswer } from './acts.ts'
import { closedCalls, rulesClaim } from './claims.ts'
import type { Compiled } from './match.ts'
import { compileAddress, compilePath } from './match.ts'

export const pluginId = 'intercept-seccomp'

type NativeRule = SeccompInterception['rules'][number]

/** The plan's `data`: rules for the native module; `id` is the index of the rule in the policy. */
const dataSchema = z.strictObject({
  rules: z.array(
    z.strictObject({ id: z.int().nonnegative(), on: z.string(), match: z.string(), action: z.enum(['allow', 'deny', 'kill']) }),
  ),
})
export type SeccompData = z.infer<typeof dataSchema>

export function readData(data: unknown): SeccompData {
  return dataSchema.parse(data)
}

/** `workspace` is the absolute path of the workspace, which `./` stands for. */
export function planInterception(policy: readonly InterceptionRule[], workspace: string): LayerPlan {
  const compiled = policy.map((rule, index) => compileRule(rule, index, workspace))
  const rules = compiled.flatMap((result) => ('rules' in result ? result.rules : []))
  const watched = [...new Set(rules.map(({ on }) => on))]
  return {
    plugin: pluginId,
    layer: 'interception',
    tier: 'full',
    enforces: [...closedCalls.map(({ id, text }) => ({ id, text })), ...(rules.length === 0 ? [] : [rulesClaim])],
    unsupported: compiled.flatMap((result) => ('unsupported' in result ? [result.unsupported] : [])),
    steps: [
      'closes system calls by a list of what ordinary programs use; what the list does not know fails with ENOSYS',
      ...(watched.length === 0 ? [] : [`asks the supervisor about ${watched.join(', ')}`]),
      ...policy.filter((_, index) => 'rules' in (compiled[index] ?? {})).map(({ on, match, action }) => `${action} ${on} ${match}`),
    ],
    data: { rules } satisfies SeccompData,
  }
}

function compileRule(rule: InterceptionRule, id: number, workspace: string): { rules: NativeRule[] } | { unsupported: string } {
  const { on, match, action } = rule
  const where = `interception rule ${id + 1} (${action} ${on} ${JSON.stringify(match)})`
  const object = acts[on]
  if (typeof object === 'object') return { unsupported: `${where}: ${on} ${object.unsupported}` }
  if (!isAnswer(action)) return { unsupported: `${where}: the action "${action}" is not offered by this layer yet` }
  const compiled: Compiled = object === 'path' ? compilePath(match, workspace) : compileAddress(match, workspace)
  if ('reason' in compiled) return { unsupported: `${where}: the match ${compiled.reason}` }
  return { rules: compiled.patterns.map((pattern) => ({ id, on, match: pattern, action })) }
}
