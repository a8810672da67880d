import type { ZodType } from 'zod'
import { BulkheadError } from '../contracts/error.ts'
import type { ErrorCode } from '../contracts/error.ts'
import type {
  ApplyContext,
  AppliedLayer,
  Availability,
  EmptyWorkspace,
  Evidence,
  Host,
  LayerPlan,
  LayerPlugin,
} from '../contracts/layer.ts'
import type { PlanContext, Probe, Receipt, SetupChange, SetupContext } from '../contracts/layer.ts'
import type { LaunchSpec } from '../contracts/launch.ts'
import type { Policy } from '../contracts/policy.ts'
import type { Sandbox } from '../contracts/sandbox.ts'
import { plainJson } from './plain-json.ts'
import { appliedShape, availabilityShape, evidenceShape, planShape, problems, stepsShape } from './shapes.ts'

/** Milliseconds a hook may take before it counts as hung. `plan` and `contribute` are synchronous and cannot be bounded. */
export interface HookLimits {
  readonly probe: number
  readonly prepare: number
  readonly apply: number
  readonly attach: number
  readonly verify: number
  readonly dispose: number
  readonly recover: number
  /** Each hook of `LayerSetup`. */
  readonly setup: number
}

const defaultHookLimits: HookLimits = {
  probe: 10_000,
  prepare: 30_000,
  apply: 30_000,
  attach: 30_000,
  verify: 30_000,
  dispose: 30_000,
  recover: 30_000,
  setup: 600_000,
}

type Hook = keyof HookLimits | 'plan' | 'contribute'

/**
 * The only place where a hook of a layer plugin is called. Whatever goes wrong in one (it throws, hangs, returns a wrong value) comes out
 * as one BulkheadError that names plugin and hook.
 */
export class PluginDriver {
  readonly #limits: HookLimits
  readonly #hung = new WeakSet<object>()

  constructor(limits: HookLimits = defaultHookLimits) {
    this.#limits = limits
  }

  /** True for an error made here because a hook did not come back: it may still be at work. */
  isHung(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#hung.has(error)
  }

  async probe(plugin: LayerPlugin, host: Host): Promise<Availability> {
    const answer = await this.#bounded(plugin, 'probe', () => plugin.probe(host))
    return shaped(plugin, 'probe', availabilityShape, answer)
  }

  /** Options are validated here too, because a stored job may be older than the plugin. Throws `config_invalid` for them. */
  plan(plugin: LayerPlugin, policy: Policy, options: unknown, context: PlanContext): LayerPlan {
    const parsed = optionsOf(plugin, 'plan', options)
    const plan = shaped(
      plugin,
      'plan',
      planShape,
      guarded(plugin, 'plan', () => plugin.plan(policy, parsed, context)),
    )
    if (plan.plugin !== plugin.id || plan.layer !== plugin.layer) {
      throw wrong(plugin, 'plan', `it planned as ${plan.layer} plugin "${plan.plugin}"`)
    }
    return { ...plan, data: guarded(plugin, 'plan', () => plainJson(plan.data ?? null, 'data')) }
  }

  /** Options are validated as for `plan`. Throws `config_invalid` for them. */
  async prepare(plugin: LayerPlugin, directory: EmptyWorkspace, options: unknown, host: Host): Promise<void> {
    if (plugin.prepare === undefined) return
    const parsed = optionsOf(plugin, 'prepare', options)
    await this.#bounded(plugin, 'prepare', async () => plugin.prepare?.(directory, parsed, host))
  }

  /** `onLate` gets a layer that came back after the time was over, so that it can be disposed. */
  async apply(plugin: LayerPlugin, plan: LayerPlan, context: ApplyContext, onLate: (layer: AppliedLayer) => void): Promise<AppliedLayer> {
    const work = async (): Promise<AppliedLayer> =>
      shaped(plugin, 'apply', appliedShape as ZodType<AppliedLayer>, await plugin.apply(plan, context))
    return this.#bounded(plugin, 'apply', work, onLate)
  }

  contribute(plugin: LayerPlugin, layer: AppliedLayer, spec: LaunchSpec): LaunchSpec {
    const next = guarded(plugin, 'contribute', () => plainJson(layer.contribute(spec), 'spec'))
    if (typeof next !== 'object' || next === null) throw wrong(plugin, 'contribute', 'it returned no launch specification')
    return next as LaunchSpec
  }

  async attach(plugin: LayerPlugin, layer: AppliedLayer, sandbox: Sandbox): Promise<void> {
    if (layer.attach === undefined) return
    await this.#bounded(plugin, 'attach', async () => layer.attach?.(sandbox))
  }

  async verify(plugin: LayerPlugin, layer: AppliedLayer, probe: Probe): Promise<readonly Evidence[]> {
    const evidence = await this.#bounded(plugin, 'verify', () => layer.verify(probe))
    return shaped(plugin, 'verify', evidenceShape, evidence)
  }

  async dispose(plugin: LayerPlugin, layer: AppliedLayer): Promise<void> {
    await this.#bounded(plugin, 'dispose', async () => layer[Symbol.asyncDispose]())
  }

  async recover(plugin: LayerPlugin, receipt: Receipt): Promise<void> {
    await this.#bounded(plugin, 'recover', () => plugin.recover(receipt))
  }

  /** Steps that are still to do. A plugin without `setup` has none. */
  async describeSetup(plugin: LayerPlugin, change: SetupChange, context: SetupContext): Promise<readonly string[]> {
    const { setup } = plugin
    if (setup === undefined) return []
    return shaped(plugin, 'setup', stepsShape, await this.#bounded(plugin, 'setup', () => setup.describe(change, context)))
  }

  async setUp(plugin: LayerPlugin, change: SetupChange, context: SetupContext): Promise<void> {
    const { setup } = plugin
    if (setup !== undefined) await this.#bounded(plugin, 'setup', async () => setup[change](context))
  }

  async #bounded<T>(plugin: LayerPlugin, hook: keyof HookLimits, work: () => Promise<T>, onLate?: (value: T) => void): Promise<T> {
    const limit = this.#limits[hook]
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = wrong(plugin, hook, `it did not come back within ${limit} ms`)
        this.#hung.add(error)
        reject(error)
      }, limit)
    })
    const working = (async () => work())()
    try {
      return await Promise.race([working, timeout])
    } catch (error) {
      if (this.isHung(error) && onLate !== undefined) working.then(onLate, () => undefined)
      throw this.isHung(error) ? error : failure(plugin, hook, error)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Codes a plugin may answer with itself: they say what is wrong with the machine, the journal or the configuration, and not with the plugin. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'config_invalid',
  'host_unsupported',
  'host_tool_missing',
  'host_no_space',
  'native_not_built',
  'native_abi_mismatch',
  'native_failed',
  'journal_busy',
  'journal_corrupt',
  'journal_failed',
  'journal_newer',
  'layer_unusable',
  'setup_incomplete',
])

function optionsOf(plugin: LayerPlugin, hook: Hook, options: unknown): unknown {
  const parsed = guarded(plugin, hook, () => plugin.options.safeParse(options))
  if (parsed.success) return parsed.data
  throw new BulkheadError('config_invalid', `options of ${plugin.layer} plugin "${plugin.id}": ${problems(parsed.error)}`, {
    plugin: plugin.id,
    remedy: 'Correct the options of this layer in the environment.',
  })
}

function guarded<T>(plugin: LayerPlugin, hook: Hook, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failure(plugin, hook, error)
  }
}

function shaped<T>(plugin: LayerPlugin, hook: Hook, shape: ZodType<T>, value: unknown): T {
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw wrong(plugin, hook, `it returned a wrong value: ${problems(parsed.error)}`)
  return parsed.data
}

function wrong(plugin: LayerPlugin, hook: Hook, what: string): BulkheadError {
  return failure(plugin, hook, new Error(what))
}

function failure(plugin: LayerPlugin, hook: Hook, error: unknown): BulkheadError {
  const own = BulkheadError.is(error) ? error : undefined
  // Already named, by a check inside the hook's own call.
  if (own?.message.startsWith(`plugin "${plugin.id}", `) === true) return own
  const message = error instanceof Error ? error.message : String(error)
  const code = own !== undefined && passing.has(own.code) ? own.code : isDiskFull(error) ? 'host_no_space' : 'plugin_failed'
  return new BulkheadError(
    code,
    // What the user wrote, the journal and the native module are nothing to look for in a plugin.
    /^(?:config|journal|native)_/.test(code) ? message : `plugin "${plugin.id}", ${hook}: ${message}`,
    {
      operation: hook,
      ...own?.details,
      plugin: plugin.id,
      cause: error,
    },
  )
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')
}
