import type { InterceptionAction, InterceptionRule, Limits, NetworkRule, Policy } from '../contracts/policy.ts'
import { isWithin } from './canonical-path.ts'
import { coversRule, formatNetworkRule } from './network-rule.ts'
import type { PolicyPatch } from './policy-patch.ts'
import { formatDuration, formatSize } from './units.ts'
import type { KeyPath } from './located.ts'

/** One thing that a file inside the repository asks for although the user's own policy does not allow it. */
interface Widening {
  /** Below the policy, as written. */
  readonly path: KeyPath
  /** What is asked for, as it would be written. */
  readonly value: string
  /** Key of the user's file that would have to allow it, with what to write there. */
  readonly key: string
}

export interface Narrowed {
  /** Never allows anything that the policy it came from does not, whatever the patch asks for. */
  readonly policy: Policy
  readonly widenings: readonly Widening[]
}

/**
 * The policy under a patch that may only narrow it. Pure.
 *
 * Lists replace the user's when every entry is covered by it. Denials add up. Rules of the patch come first, and may only refuse.
 */
export function narrow(policy: Policy, patch: PolicyPatch): Narrowed {
  const widenings: Widening[] = []
  const keep = <T>(list: readonly T[], path: KeyPath, fits: (entry: T) => boolean, value: (entry: T) => string, key: string): T[] =>
    list.filter((entry, index) => {
      if (fits(entry)) return true
      widenings.push({ path: [...path, index], value: value(entry), key })
      return false
    })
  const readable = (path: string): boolean => accessOf(policy.filesystem, path) !== 'none'
  const writable = (path: string): boolean => accessOf(policy.filesystem, path) === 'write'
  const read = patch.read && keep(patch.read, ['filesystem', 'read'], readable, String, 'policy.filesystem.read')
  const write = patch.write && keep(patch.write, ['filesystem', 'write'], writable, String, 'policy.filesystem.write')
  // A read entry inside a writable directory is a protection, not a permission: it stays.
  const shields = policy.filesystem.read.filter((path) => policy.filesystem.write.some((above) => isWithin(path, above)))
  const allow =
    patch.network &&
    keep(patch.network, ['network', 'allow'], (rule) => allowed(policy.network.allow, rule), formatNetworkRule, 'policy.network.allow')
  const rules = keep(
    patch.interception ?? [],
    ['interception'],
    (rule) => onlyRefuses(policy.interception, rule),
    ({ on, match, action }) => `{on: ${on}, match: ${match}, action: ${action}}`,
    'policy.interception',
  )
  return {
    policy: {
      filesystem: {
        read: read === null ? policy.filesystem.read : [...new Set([...read, ...shields])],
        write: write ?? policy.filesystem.write,
        deny: [...new Set([...policy.filesystem.deny, ...(patch.deny ?? [])])],
      },
      network: { allow: allow ?? policy.network.allow },
      interception: [...rules, ...policy.interception],
      limits: narrowLimits(policy.limits, patch.limits, widenings),
      ...narrowVariables(policy, patch, widenings),
    },
    widenings,
  }
}

/** What a path list grants for `path`: the longest entry that contains it decides, and write wins between equals. */
export function accessOf(lists: Pick<Policy['filesystem'], 'read' | 'write'>, path: string): 'none' | 'read' | 'write' {
  const longest = (entries: readonly string[]): number =>
    Math.max(-1, ...entries.filter((entry) => isWithin(path, entry)).map((entry) => entry.length))
  const [read, write] = [longest(lists.read), longest(lists.write)]
  if (read < 0 && write < 0) return 'none'
  return write >= read ? 'write' : 'read'
}

/** Each port separately: `host` may be covered by `host:80` and `host:443`. */
function allowed(allow: readonly NetworkRule[], { host, port }: NetworkRule): boolean {
  const ports = port === null ? [80, 443] : [port]
  return ports.every((one) => allow.some((wide) => coversRule(wide, { host, port: one })))
}

const strength: Readonly<Record<InterceptionAction, number>> = { allow: 0, ask: 1, emulate: 2, redirect: 2, deny: 3, kill: 4 }

/** A rule that comes first hides the user's own on the same act, so none of those may be stronger. */
function onlyRefuses(rules: readonly InterceptionRule[], rule: InterceptionRule): boolean {
  if (rule.action !== 'ask' && rule.action !== 'deny' && rule.action !== 'kill') return false
  return rules.every((own) => own.on !== rule.on || strength[own.action] <= strength[rule.action])
}

const limitKeys = {
  timeMs: ['time', formatDuration],
  stallMs: ['stall', formatDuration],
  outputBytes: ['output', formatSize],
  processes: ['processes', String],
  openFiles: ['openFiles', String],
  temporaryBytes: ['temporary', formatSize],
} as const satisfies Record<keyof Limits, readonly [string, (value: number) => string]>

function narrowLimits(limits: Limits, wanted: Partial<Limits>, widenings: Widening[]): Limits {
  const result: Record<keyof Limits, number | null> = { ...limits }
  for (const [name, value] of Object.entries(wanted) as [keyof Limits, number | null][]) {
    const own = limits[name]
    if (own === null || (value !== null && value <= own)) {
      result[name] = value
      continue
    }
    const [key, format] = limitKeys[name]
    widenings.push({ path: ['limits', key], value: value === null ? 'unlimited' : format(value), key: `policy.limits.${key}` })
  }
  return result
}

/** A fixed value can steer a program that holds a credential, so a repository may only give values to names that the user knows. */
function narrowVariables(policy: Policy, patch: PolicyPatch, widenings: Widening[]): Pick<Policy, 'environment' | 'pass'> {
  const own = new Set([...Object.keys(policy.environment), ...(policy.pass ?? [])])
  const passed = (patch.pass ?? policy.pass ?? []).filter((name, index) => {
    if (!own.has(name)) widenings.push({ path: ['environment', 'pass', index], value: name, key: 'policy.environment.pass' })
    return policy.pass?.includes(name) ?? false
  })
  const set = Object.entries(patch.set ?? {}).filter(([name]) => {
    if (!own.has(name)) widenings.push({ path: ['environment', 'set', name], value: name, key: 'policy.environment.set' })
    return own.has(name)
  })
  const environment = { ...policy.environment, ...Object.fromEntries(set) }
  return { environment, pass: passed.filter((name) => !Object.hasOwn(environment, name)) }
}
