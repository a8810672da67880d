import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { denied, type Attack } from './attack.ts'
import { filesystemAttacks } from './filesystem.ts'
import { interceptionAttacks } from './interception.ts'
import { networkAttacks } from './network.ts'
import { tokenAttacks } from './token.ts'

export { attackRules } from './interception.ts'
export { openInheritable } from './inheritable.ts'
export { layOutPrey, type Prey } from './prey.ts'
export { makeRegistryPrey } from './registry.ts'
export type { Attack } from './attack.ts'

export const attacks: readonly Attack[] = [...filesystemAttacks, ...tokenAttacks, ...networkAttacks, ...interceptionAttacks]

/** What came of an attack. `invalid`: it failed in a way that says nothing about a wall. */
export interface Verdict {
  readonly outcome: 'escaped' | 'contained' | 'invalid'
  readonly detail: string
}

/** The command that tries `tried`, with its task laid down in `workspace`; `read` gives the verdicts afterwards. */
export function attacker(workspace: string, tried: readonly Attack[], facts: Readonly<Record<string, string | number>>) {
  const [task, results] = [join(workspace, 'task.json'), join(workspace, 'results.jsonl')]
  const agent = join(process.env['BULKHEAD_STAGE'] ?? '', 'dist', 'test', 'windows', 'support', 'attacks', 'agent.cjs')
  writeFileSync(task, JSON.stringify({ facts: { ...facts, workspace }, attacks: tried.map(({ id, code }) => ({ id, code })), results }))
  writeFileSync(results, '')
  return {
    argv: [process.execPath, agent, task] as const,
    read: (): ReadonlyMap<string, Verdict> => {
      const lines = readFileSync(results, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { id: string; outcome: string; detail: string })
      return new Map(
        tried.map((one) => [
          one.id,
          judge(
            one,
            lines.findLast(({ id }) => id === one.id),
          ),
        ]),
      )
    },
  }
}

function judge(one: Attack, line: { readonly outcome: string; readonly detail: string } | undefined): Verdict {
  if (line === undefined) return { outcome: 'invalid', detail: 'it never began' }
  const { outcome, detail } = line
  if (outcome === 'escaped') return { outcome: 'escaped', detail }
  const refused = outcome === 'threw' && (one.refusals ?? denied).includes(detail)
  return { outcome: refused ? 'contained' : 'invalid', detail: `${outcome}: ${detail}` }
}

/** What the attacks on the workspace itself need in it, by path below it. Laid down by the host before the agent starts. */
export const furniture: Readonly<Record<string, string>> = Object.fromEntries(
  ['guarded/file', 'guarded/handle', 'guarded/away', 'seed', 'bulkhead.yaml'].map((name) => [name, 'canary-5f1c']),
)
