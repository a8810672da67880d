import type { AppliedLayer, ApplyContext, Evidence, LaunchSpec, LayerPlan, Probe } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { compiledRules } from '../../gateway/policy.ts'
import { proxyVariables } from '../../gateway/proxy-variables.ts'
import { ProxyDoor } from './door.ts'
import type { Filtering } from './filtering.ts'
import type { WfpOptions } from './options.ts'
import { accountCapability, pluginId, readData } from './plan.ts'
import { verifyWfp } from './verify.ts'

/** Opens the gateway, then closes everything else: filters are in place before anything is launched. */
export async function applyWfp(filtering: Filtering, plan: LayerPlan, context: ApplyContext): Promise<AppliedLayer> {
  const { rules, options, walled } = readData(plan.data)
  const account = walled ? accountOf(context, filtering) : null
  const door = new ProxyDoor({
    plugin: pluginId,
    rules: compiledRules(rules),
    options,
    report: (denial) => context.report(denial),
  })
  try {
    context.signal.throwIfAborted()
    await door.open()
    context.signal.throwIfAborted()
    const wall = account === null ? null : await filtering.close(account, door.port)
    return new AppliedWfp(door, wall, options)
  } catch (error) {
    await door[Symbol.asyncDispose]()
    throw error
  }
}

class AppliedWfp implements AppliedLayer {
  readonly #door: ProxyDoor
  readonly #wall: AsyncDisposable | null
  readonly #options: WfpOptions

  constructor(door: ProxyDoor, wall: AsyncDisposable | null, options: WfpOptions) {
    this.#door = door
    this.#wall = wall
    this.#options = options
  }

  contribute(spec: LaunchSpec): LaunchSpec {
    const environment = this.#options.proxyVariables ? withProxy(spec.command.environment, this.#door.url) : spec.command.environment
    const network = this.#wall === null ? null : ({ mechanism: 'windows-wfp', gatewayPort: this.#door.port } as const)
    return { ...spec, command: { ...spec.command, environment }, network }
  }

  async verify(probe: Probe): Promise<readonly Evidence[]> {
    return this.#wall === null ? [] : verifyWfp(this.#door, probe)
  }

  /** The wall last: while the gateway still talks to somebody, nothing else may. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#door[Symbol.asyncDispose]()
    } finally {
      await this.#wall?.[Symbol.asyncDispose]()
    }
  }
}

/**
 * The SID must be one of an account of this machine or domain, and of another than our own: filters on a group, or on the user who runs
 * this, would close the network to more than the agent. Throws `plugin_failed`.
 */
function accountOf({ provided }: ApplyContext, filtering: Filtering): string {
  const sid = Object.hasOwn(provided, accountCapability) ? provided[accountCapability] : undefined
  const fault =
    sid === undefined
      ? 'no layer said which account the agent runs as'
      : !/^S-1-5-21-\d+-\d+-\d+-\d+$/.test(sid)
        ? 'what the agent runs as is no account of its own'
        : sid === filtering.user()
          ? 'the agent runs as the user who runs Bulkhead'
          : null
  if (sid !== undefined && fault === null) return sid
  throw new BulkheadError('plugin_failed', `${fault}, so no filter was set`, { plugin: pluginId, operation: 'apply' })
}

/**
 * Names of variables differ by more than case on Windows, so what is there under another spelling goes. Lower case, because that is what
 * programs look for that are exact about it (curl in a Unix-like shell).
 */
function withProxy(environment: Readonly<Record<string, string>>, url: string): Record<string, string> {
  const ours = Object.entries(proxyVariables(url)).filter(([name]) => name === name.toLowerCase())
  const names = new Set(ours.map(([name]) => name))
  const others = Object.entries(environment).filter(([name]) => !names.has(name.toLowerCase()))
  return Object.fromEntries([...others, ...ours])
}
