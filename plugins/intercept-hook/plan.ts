import { z } from 'zod'
import type { Claim, HookInterception, InterceptionRule, LayerPlan } from '../../core/contracts/index.ts'
import { acts, isAnswered } from './acts.ts'
import { compile, compileTarget } from './match.ts'
import type { HookOptions } from './options.ts'

export const pluginId = 'intercept-hook'

type NativeRule = HookInterception['rules'][number]

/** The plan's `data`; `id` is the index of the rule in the policy. */
const dataSchema = z.strictObject({
  rules: z.array(
    z.strictObject({
      id: z.int().nonnegative(),
      on: z.string(),
      match: z.string(),
      action: z.enum(['allow', 'deny', 'emulate', 'redirect', 'ask', 'kill']),
      target: z.string().nullable(),
    }),
  ),
  wow64: z.enum(['refuse', 'report']),
  askTimeoutMs: z.int().positive(),
})
export type HookData = z.infer<typeof dataSchema>

export function readData(data: unknown): HookData {
  return dataSchema.parse(data)
}

/** What is claimed is that calls reach the hook, not that nobody can get around it. */
export const claims = {
  inPlace: { id: 'hook-in-place', text: 'The hook is in the process before its entry point runs, with the rules of this job.' },
  answered: { id: 'rules-answered', text: 'Acts that rules name reach the hook, which reports and answers them.' },
} as const satisfies Record<string, Claim>

/** `workspace` is the absolute path of the workspace, which `./` stands for. */
export function planHook(policy: readonly InterceptionRule[], options: HookOptions, workspace: string): LayerPlan {
  const compiled = policy.map((rule, index) => compileRule(rule, index, workspace))
  const rules = compiled.flatMap((result) => ('rules' in result ? result.rules : []))
  const watched = [...new Set(rules.map(({ on }) => on))]
  const data: HookData = { rules, wow64: options.wow64, askTimeoutMs: options.askTimeout * 1000 }
  return {
    plugin: pluginId,
    layer: 'interception',
    // A program that makes system calls without ntdll is not seen.
    tier: 'partial',
    enforces: [claims.inPlace, ...(rules.length === 0 ? [] : [claims.answered])],
    unsupported: compiled.flatMap((result) => ('unsupported' in result ? [result.unsupported] : [])),
    steps: [...describe(watched, data), ...policy.flatMap(stepOf(compiled))],
    data,
  }
}

function describe(watched: readonly string[], { rules, wow64, askTimeoutMs }: HookData): readonly string[] {
  return [
    `a DLL in every process of the tree hooks ${['the start of processes', ...watched].join(', ')}`,
    wow64 === 'refuse' ? '32-bit programs are not started' : '32-bit programs run unwatched, and each start is recorded',
    ...(rules.some(({ action }) => action === 'ask')
      ? [`questions without an answer within ${askTimeoutMs / 1000} s are answered no`]
      : []),
    'not held: programs that make system calls without ntdll, and what services of the system do for the agent',
  ]
}

type Compiled = { readonly rules: readonly NativeRule[] } | { readonly unsupported: string }

function stepOf(compiled: readonly Compiled[]): (rule: InterceptionRule, index: number) => readonly string[] {
  return ({ on, match, action, target }, index) =>
    'rules' in (compiled[index] ?? {}) ? [`${action} ${on} ${match}${target === undefined ? '' : ` → ${target}`}`] : []
}

function compileRule({ on, match, action, target }: InterceptionRule, id: number, workspace: string): Compiled {
  const where = `interception rule ${id + 1} (${action} ${on} ${JSON.stringify(match)})`
  const { object } = acts[on]
  if (!isAnswered(on, action)) return { unsupported: `${where}: the action "${action}" makes no sense for ${on}` }
  const patterns = compile(object, match, workspace)
  if ('reason' in patterns) return { unsupported: `${where}: the match ${patterns.reason}` }
  const compiled = compileTarget(object, target, workspace)
  if ('reason' in compiled) return { unsupported: `${where}: the target ${compiled.reason}` }
  return { rules: patterns.patterns.map((pattern) => ({ id, on, match: pattern, action, target: compiled.target })) }
}
