import { dirname } from 'node:path'
import type { InterceptionRule, Limits, NetworkRule, Policy } from '../contracts/policy.ts'
import { canonicalPath, canonicalPattern, isWithin, type PathBase } from './canonical-path.ts'
import { show } from './explain.ts'
import type { Problem } from './problem.ts'
import type { WrittenPolicy } from './schema-policy.ts'
import { unlimited } from './schema-values.ts'
import { type KeyPath, problemAt, type YamlFile } from './located.ts'

/** A policy as one file asks for it, with paths resolved. null: nothing is said, so it is inherited. */
export interface PolicyPatch {
  readonly read: readonly string[] | null
  readonly write: readonly string[] | null
  readonly deny: readonly string[] | null
  readonly network: readonly NetworkRule[] | null
  readonly interception: readonly InterceptionRule[] | null
  readonly limits: Partial<Limits>
  readonly pass: readonly string[] | null
  readonly set: Readonly<Record<string, string>> | null
}

export const emptyPatch: PolicyPatch = {
  read: null,
  write: null,
  deny: null,
  network: null,
  interception: null,
  limits: {},
  pass: null,
  set: null,
}

/** Resolves paths and names, and finds combinations that cannot be meant. `at` is where the policy stands in `file`. */
export function policyPatch(written: WrittenPolicy | undefined, file: YamlFile, at: KeyPath, base: PathBase) {
  const problems: Problem[] = []
  if (written === undefined) return { patch: emptyPatch, problems }

  const paths = (key: 'read' | 'write' | 'deny', resolvePath: typeof canonicalPath): string[] | null =>
    written.filesystem?.[key]?.flatMap((text, index) => {
      const path = resolvePath(text, base)
      const everything = path !== undefined && dirname(path) === path
      if (path !== undefined && (!everything || key === 'deny')) return [path]
      const rule = everything ? `policy.filesystem.${key} may not be the whole filesystem` : `"${text}" names another user’s home`
      problems.push(
        problemAt(file, [...at, 'filesystem', key, index], rule, 'Name the directories that are needed, by absolute paths or from ~/.'),
      )
      return []
    }) ?? null

  const read = paths('read', canonicalPath)
  const write = paths('write', canonicalPath)
  const deny = paths('deny', canonicalPattern)
  read?.forEach((path, index) => {
    if (!(write ?? []).includes(path)) return
    problems.push(problemAt(file, [...at, 'filesystem', 'read', index], `${path} is in both read and write`, 'Leave it in one of the two.'))
  })

  const set = written.environment?.set ?? null
  const pass = written.environment?.pass ?? null
  pass?.forEach((name, index) => {
    if (set === null || !Object.hasOwn(set, name)) return
    problems.push(problemAt(file, [...at, 'environment', 'pass', index], `${name} is in both pass and set`, 'Leave it in one of the two.'))
  })

  const limits = limitsOf(written.limits)
  if (limits.stallMs != null && limits.timeMs != null && limits.stallMs > limits.timeMs) {
    const where = [...at, 'limits', 'stall']
    problems.push(
      problemAt(
        file,
        where,
        `${show(where)} is longer than limits.time, so it could never be reached`,
        'Make it shorter than limits.time.',
      ),
    )
  }

  const interception = written.interception?.map((rule) => canonicalRule(rule, base)) ?? null
  return { patch: { read, write, deny, network: written.network?.allow ?? null, interception, limits, pass, set }, problems }
}

/** The user's own policy: what is said replaces what is built in. */
export function applyPatch(policy: Policy, patch: PolicyPatch): Policy {
  const { pass } = patch
  return {
    filesystem: {
      read: patch.read ?? policy.filesystem.read,
      write: patch.write ?? policy.filesystem.write,
      deny: patch.deny ?? policy.filesystem.deny,
    },
    network: { allow: patch.network ?? policy.network.allow },
    interception: patch.interception ?? policy.interception,
    limits: { ...policy.limits, ...patch.limits },
    environment: { ...without(policy.environment, pass ?? []), ...patch.set },
    pass: pass ?? policy.pass ?? [],
  }
}

/** What agents may not be able to change because Bulkhead rests on it. */
export function overlaps(path: string, own: string): boolean {
  return isWithin(own, path) || isWithin(path, own)
}

function without(record: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)))
}

function canonicalRule({ target, ...rule }: InterceptionRule, base: PathBase): InterceptionRule {
  const match = canonicalMatch(rule.match, base)
  return target === undefined ? { ...rule, match } : { ...rule, match, target: canonicalMatch(target, base) }
}

function canonicalMatch(match: string, base: PathBase): string {
  return match.startsWith('~') ? (canonicalPattern(match, base) ?? match) : match
}

function count(value: number | typeof unlimited | undefined): number | null | undefined {
  return value === unlimited ? null : value
}

function limitsOf(written: WrittenPolicy['limits']): Partial<Limits> {
  const entries = {
    timeMs: written?.time,
    stallMs: written?.stall,
    outputBytes: written?.output,
    processes: count(written?.processes),
    openFiles: count(written?.openFiles),
    temporaryBytes: written?.temporary,
  } satisfies Record<keyof Limits, number | null | undefined>
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
}
