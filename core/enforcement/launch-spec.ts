import { isAbsolute } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BulkheadError } from '../contracts/error.ts'
import type { Layer, LayerPlugin } from '../contracts/layer.ts'
import type { CommandPart, LaunchSpec } from '../contracts/launch.ts'
import type { Policy } from '../contracts/policy.ts'

export type HostEnvironment = Readonly<Record<string, string | undefined>>

/** What every launch starts from: the command, the policy's numbers, and no wall at all. Throws `usage_invalid`. */
export function emptySpec(command: CommandPart, policy: Policy, host: HostEnvironment): LaunchSpec {
  const fault = commandFault(command) ?? (isEnvironment(policy.environment) ? undefined : 'the policy sets an invalid variable')
  if (fault !== undefined) throw new BulkheadError('usage_invalid', `the command cannot be run: ${fault}`)
  // What passes from the host is the ground, then what the policy sets, then what was asked for this very command.
  const environment = { ...passed(policy.pass ?? [], host), ...policy.environment, ...command.environment }
  return {
    command: { argv: [...command.argv], directory: command.directory, environment },
    token: null,
    filesystem: null,
    network: null,
    interception: null,
    limits: { processes: policy.limits.processes, openFiles: policy.limits.openFiles },
  }
}

/**
 * Adds one layer's contribution, which `contribute` returns as a copy of its own. The layer sees `before` frozen, and may change its own
 * part and the environment only.
 */
export function addPart(before: LaunchSpec, plugin: LayerPlugin, contribute: (spec: LaunchSpec) => LaunchSpec): LaunchSpec {
  const after = contribute(deepFreeze(before))
  const touched = foreignKeys(plugin.layer).filter((key) => !isDeepStrictEqual(after[key], before[key]))
  const { environment: _before, ...commandBefore } = before.command
  const { environment, ...commandAfter } = after.command ?? {}
  if (!isDeepStrictEqual(commandAfter, commandBefore)) touched.push('command')
  if (touched.length > 0) throw meddled(plugin, `it changed what is not its part: ${touched.join(', ')}`)
  if (!isEnvironment(environment)) throw meddled(plugin, 'it left no valid environment')
  return after
}

function foreignKeys(own: Layer): (keyof LaunchSpec)[] {
  return (['token', 'filesystem', 'network', 'interception', 'limits'] as const).filter((key) => key !== own)
}

/** Names that are not set on the host are not set inside. */
function passed(names: readonly string[], host: HostEnvironment): Record<string, string> {
  const values = names.flatMap((name): [string, string][] => {
    const value = Object.hasOwn(host, name) ? host[name] : undefined
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(values)
}

function commandFault({ argv, directory, environment }: CommandPart): string | undefined {
  if (argv.length === 0 || argv[0] === '') return 'it names no program'
  if (argv.some((argument) => argument.includes('\0'))) return 'an argument contains a NUL character'
  if (!isAbsolute(directory)) return 'its directory is not an absolute path'
  return isEnvironment(environment) ? undefined : 'it sets an invalid variable'
}

function isEnvironment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(([name, text]) => /^[^=\0]+$/.test(name) && typeof text === 'string' && !text.includes('\0'))
}

function meddled(plugin: LayerPlugin, what: string): BulkheadError {
  return new BulkheadError('plugin_failed', `plugin "${plugin.id}", contribute: ${what}`, {
    plugin: plugin.id,
    operation: 'contribute',
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
