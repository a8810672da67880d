import type { Attested, EnforcementPlan, Enforced, Enforcement, EnterRequest, LayerReport } from '../contracts/enforcement.ts'
import { BulkheadError } from '../contracts/error.ts'
import type { Denial } from '../contracts/denial.ts'
import type { EnvironmentSpec } from '../contracts/job.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import { layers } from '../contracts/layer.ts'
import type { ApplyContext, EmptyWorkspace, Evidence, Host, LayerPlugin, Probe } from '../contracts/layer.ts'
import type { Launcher, Sandbox } from '../contracts/sandbox.ts'
import { PluginDriver } from './driver.ts'
import type { HookLimits } from './driver.ts'
import { emptySpec } from './launch-spec.ts'
import type { HostEnvironment } from './launch-spec.ts'
import { LayerSession, summary } from './layer-session.ts'
import type { ProvidedValues, SessionContext } from './layer-session.ts'
import { decide, refuseUnusable } from './plan.ts'
import { Prober, unusable } from './probe.ts'
import { recoverReceipts } from './recovery.ts'
import { LayerRegistry } from './registry.ts'
import { endSandbox } from './sandbox-end.ts'
import { UndoStack } from './undo-stack.ts'

export interface EnforcementParts {
  readonly plugins: ReadonlyMap<string, LayerPlugin>
  readonly host: Host
  readonly launcher: Launcher
  readonly journal: Pick<Journal, 'record' | 'settle' | 'receipts' | 'orchestrators' | 'lock'>
  /** This process's id in the journal (`Journal.register`); asked for when the first receipt is made. */
  readonly orchestrator: () => string
  readonly isAlive: Liveness
  /** Where the values of `policy.pass` come from, at the time of each launch; default: this process's environment. */
  readonly hostEnvironment?: HostEnvironment
  readonly hookLimits?: HookLimits
  /** How long the tree may take to be gone after it was killed, in milliseconds. */
  readonly endLimitMs?: number
}

/** A sandbox that nobody has attacked yet. */
interface Held {
  readonly plan: EnforcementPlan
  readonly sessions: readonly LayerSession[]
  readonly sandbox: Sandbox
  /** Shared with what undoes and reports. */
  readonly fate: { treeGone: boolean; verified: boolean }
}

type PlanRequest = Parameters<Enforcement['plan']>[0]

/** The four layers as one boundary. See `Enforcement` for what it promises. */
export class EnforcementPipeline implements Enforcement {
  readonly #parts: EnforcementParts
  readonly #registry: LayerRegistry
  readonly #driver: PluginDriver
  readonly #prober: Prober

  constructor(parts: EnforcementParts) {
    this.#parts = parts
    this.#registry = new LayerRegistry(parts.plugins)
    this.#driver = new PluginDriver(parts.hookLimits)
    this.#prober = new Prober(this.#driver, parts.host)
  }

  async examine(environment: EnvironmentSpec): Promise<readonly LayerReport[]> {
    const report = async (layer: LayerReport['layer']): Promise<LayerReport> => {
      const { plugin } = environment.layers[layer]
      try {
        return { layer, plugin, availability: await this.#prober.ask(this.#registry.get(layer, plugin)) }
      } catch (error) {
        return { layer, plugin, availability: unusable(error) }
      }
    }
    return Promise.all(layers.map(report))
  }

  async plan(request: PlanRequest): Promise<EnforcementPlan> {
    const { environment, policy, job, workspace } = request
    const picked = layers.map((layer) => {
      const { plugin, options } = environment.layers[layer]
      return { layer, plugin: this.#registry.get(layer, plugin), options }
    })
    const chosen = await Promise.all(picked.map(async (one) => ({ ...one, availability: await this.#prober.ask(one.plugin) })))
    return decide(environment, chosen, {
      planOf: ({ plugin, options, availability }, capabilities) =>
        this.#driver.plan(plugin, policy, options, { host: this.#parts.host, job, workspace, availability, capabilities }),
      providersOf: (capability) => this.#registry.providersOf(capability),
    })
  }

  async prepare(environment: EnvironmentSpec, directory: EmptyWorkspace): Promise<void> {
    const chosen = layers
      .map((layer) => ({ layer, plugin: this.#registry.get(layer, environment.layers[layer].plugin) }))
      .filter(({ plugin }) => plugin.prepare !== undefined)
    for (const { layer, plugin } of chosen) {
      const { options } = environment.layers[layer]
      refuseUnusable(environment, [{ layer, plugin, options, availability: await this.#prober.ask(plugin) }])
      await this.#driver.prepare(plugin, directory, options, this.#parts.host)
    }
  }

  async enter(request: EnterRequest): Promise<Enforced> {
    const undo = new UndoStack()
    return this.#orUndo(request, undo, async () => {
      const held = await this.#hold(request, undo)
      const evidence = await prove(held.sessions, held.sandbox, request.signal)
      held.fate.verified = true
      let ending: Promise<void> | undefined
      const { plan, sandbox } = held
      return { plan, evidence, sandbox, [Symbol.asyncDispose]: () => (ending ??= leave(undo)) }
    })
  }

  async attest(request: EnterRequest): Promise<readonly Attested[]> {
    const undo = new UndoStack()
    return this.#orUndo(request, undo, async () => {
      const { sessions, sandbox } = await this.#hold(request, undo)
      await attach(sessions, sandbox, request.signal)
      const found = await Promise.all(sessions.map((session) => session.attest(probeOf(sandbox))))
      await leave(undo)
      return found.flat()
    })
  }

  async recover(): Promise<readonly string[]> {
    const { journal, orchestrator, isAlive } = this.#parts
    return recoverReceipts({ journal, orchestrator: orchestrator(), isAlive, registry: this.#registry, driver: this.#driver })
  }

  async #orUndo<T>(request: EnterRequest, undo: UndoStack, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const failures = await undo.unwind()
      // A hook that gives up because it was told to is no fault of the plugin.
      throw withUndoFailures(request.signal.aborted ? interrupted(error) : error, failures)
    }
  }

  /** Everything is applied and the sandbox is held; nothing has been attacked. */
  async #hold(request: EnterRequest, undo: UndoStack): Promise<Held> {
    const { launcher } = this.#parts
    const { signal } = request
    stopIfAborted(signal)
    const ground = emptySpec(request.command, request.policy, this.#parts.hostEnvironment ?? process.env)
    const plan = await this.plan(request)
    const fate = { treeGone: true, verified: false }
    const sessions = this.#sessions(request, plan)
    let provided: ProvidedValues = {}
    for (const session of sessions) {
      stopIfAborted(signal)
      // Before apply, because one that fails half-way has to be undone as well.
      undo.push(() => session.undo(fate.treeGone))
      provided = { ...provided, ...(await session.apply({ ...this.#contextFor(request, () => fate.verified), provided })) }
    }
    const spec = sessions.reduce((sum, session) => session.contribute(sum), ground)
    stopIfAborted(signal)
    const sandbox = await launcher.launch(spec, request.stdio)
    fate.treeGone = false
    undo.push(async () => {
      await endSandbox(sandbox, this.#parts.endLimitMs)
      fate.treeGone = true
    })
    return { plan, sessions, sandbox, fate }
  }

  #sessions(request: EnterRequest, plan: EnforcementPlan): readonly LayerSession[] {
    const { journal, orchestrator } = this.#parts
    const parts = { driver: this.#driver, journal, owner: { orchestrator: orchestrator(), job: request.job } }
    return plan.layers.map((layer) => new LayerSession(this.#registry.get(layer.layer, layer.plugin), layer, parts))
  }

  #contextFor(request: EnterRequest, started: () => boolean): Omit<SessionContext, 'provided'> {
    const { job, workspace, signal, onDenial, onQuestion } = request
    const report = (denial: Denial): void => {
      // Until every wall is proven the only one who acts in there is ourselves, attacking.
      if (!started()) return
      try {
        onDenial(denial)
      } catch {
        // Contract of `report`: it never throws into the layer that serves the sandbox.
      }
    }
    return { host: this.#parts.host, job, workspace, signal, report, ...(onQuestion !== undefined && { ask: neverRejecting(onQuestion) }) }
  }
}

/** A question whose answer cannot be had is answered no. */
function neverRejecting(ask: NonNullable<ApplyContext['ask']>): NonNullable<ApplyContext['ask']> {
  return async (question, signal) => {
    try {
      return await ask(question, signal)
    } catch {
      return false
    }
  }
}

async function attach(sessions: readonly LayerSession[], sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  for (const session of sessions) {
    stopIfAborted(signal)
    await session.attach(sandbox)
  }
}

function probeOf(sandbox: Sandbox): Probe {
  return { attempt: (attempts) => sandbox.attempt(attempts) }
}

async function prove(sessions: readonly LayerSession[], sandbox: Sandbox, signal: AbortSignal): Promise<readonly Evidence[]> {
  await attach(sessions, sandbox, signal)
  // All at once: what an agent waits for is round trips, and the held process tries everything one after the other anyway. All of them are
  // awaited, also after a failure, so that no layer is still attacking while it is being undone.
  const verified = await Promise.allSettled(sessions.map((session) => session.verify(probeOf(sandbox))))
  stopIfAborted(signal)
  return verified.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

async function leave(undo: UndoStack): Promise<void> {
  const failures = await undo.unwind()
  if (failures.length > 0) throw summary(failures)
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted(signal.reason)
}

function interrupted(cause: unknown): BulkheadError {
  return new BulkheadError('interrupted', 'stopped before anything was started', { cause })
}

function withUndoFailures(error: unknown, failures: readonly unknown[]): BulkheadError {
  const main = BulkheadError.from(error)
  if (failures.length === 0) return main
  const left = summary(failures)
  // Being stopped is harmless; what it left behind is not, and gives the code.
  const { code, details } = main.code === 'interrupted' ? left : main
  return new BulkheadError(code, `${main.message}; undoing it failed too: ${left.message}`, {
    ...details,
    cause: new AggregateError([error, ...failures]),
  })
}
