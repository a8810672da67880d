import { BulkheadError } from '../contracts/error.ts'
import type { EnvironmentSpec } from '../contracts/job.ts'
import { layers } from '../contracts/layer.ts'
import type { Host, LayerPlugin, SetupChange, SetupContext, SetupOptions } from '../contracts/layer.ts'
import type { MachineSetup, SetupLedger, SetupPart, SetupRequest } from '../contracts/setup.ts'
import { PluginDriver } from './driver.ts'
import type { HookLimits } from './driver.ts'
import { summary } from './layer-session.ts'
import { plainJson } from './plain-json.ts'
import { LayerRegistry } from './registry.ts'
import { receiptShape } from './shapes.ts'

export interface MachineSetupParts {
  readonly plugins: ReadonlyMap<string, LayerPlugin>
  readonly host: Host
  readonly ledger: SetupLedger
  readonly hookLimits?: HookLimits
}

/** The layers of one environment, prepared or taken down together. See `MachineSetup` for what it promises. */
export class LayerSetups implements MachineSetup {
  readonly #parts: MachineSetupParts
  readonly #registry: LayerRegistry
  readonly #driver: PluginDriver

  constructor(parts: MachineSetupParts) {
    this.#parts = parts
    this.#registry = new LayerRegistry(parts.plugins)
    this.#driver = new PluginDriver(parts.hookLimits)
  }

  async describe(change: SetupChange, environment: EnvironmentSpec, options: SetupOptions): Promise<readonly SetupPart[]> {
    const parts: SetupPart[] = []
    for (const plugin of this.#pluginsOf(environment, change)) {
      const steps = await this.#driver.describeSetup(plugin, change, this.#contextFor(plugin, looking(options)))
      parts.push({ layer: plugin.layer, plugin: plugin.id, steps })
    }
    return parts
  }

  async carryOut(change: SetupChange, environment: EnvironmentSpec, request: SetupRequest): Promise<readonly string[]> {
    if (isDone(await this.describe(change, environment, request.options))) return []
    await this.#requireRights()
    using lock = this.#parts.ledger.lock()
    if (lock === undefined) {
      throw new BulkheadError('setup_busy', 'another process is setting this machine up', {
        remedy: 'Wait until it is done, then try again.',
      })
    }
    const done: string[] = []
    const watched: SetupRequest = {
      ...request,
      report: (line) => {
        done.push(line)
        request.report(line)
      },
    }
    await (change === 'install' ? this.#install(environment, watched) : this.#remove(environment, watched))
    const left = (await this.describe(change, environment, request.options)).flatMap(({ steps }) => steps)
    if (left.length > 0) throw new BulkheadError('setup_incomplete', `not everything is done: ${left.join('; ')}`, { remedy: again })
    return done
  }

  /** Stops at the first failure: later layers may need what an earlier one makes. */
  async #install(environment: EnvironmentSpec, request: SetupRequest): Promise<void> {
    for (const plugin of this.#pluginsOf(environment, 'install')) await this.#one(plugin, 'install', request)
  }

  /** Goes on after a failure: what can be undone is undone. */
  async #remove(environment: EnvironmentSpec, request: SetupRequest): Promise<void> {
    const failures: unknown[] = []
    for (const plugin of this.#pluginsOf(environment, 'remove')) {
      try {
        await this.#one(plugin, 'remove', request)
        this.#parts.ledger.settle(plugin.id)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw summary(failures)
  }

  async #one(plugin: LayerPlugin, change: SetupChange, request: SetupRequest): Promise<void> {
    try {
      stopIfAborted(request.signal)
      await this.#driver.setUp(plugin, change, this.#contextFor(plugin, request))
    } catch (error) {
      // A hook that gives up because it was told to is no fault of the plugin.
      stopIfAborted(request.signal)
      throw error
    }
  }

  async #requireRights(): Promise<void> {
    const { ok, reason } = await this.#parts.host.can('elevation')
    if (ok) return
    throw new BulkheadError('setup_not_elevated', `nothing was changed: ${reason === '' ? 'administrator rights are needed' : reason}`, {
      remedy: 'Open a terminal with administrator rights (“Run as administrator”, sudo) and run the same command there.',
    })
  }

  #pluginsOf(environment: EnvironmentSpec, change: SetupChange): readonly LayerPlugin[] {
    const plugins = layers
      .map((layer) => this.#registry.get(layer, environment.layers[layer].plugin))
      .filter(({ setup }) => setup !== undefined)
    return change === 'install' ? plugins : plugins.toReversed()
  }

  #contextFor(plugin: LayerPlugin, request: SetupRequest): SetupContext {
    const { host, ledger } = this.#parts
    const { options, signal } = request
    return {
      host,
      options,
      signal,
      recorded: ledger.receipts(plugin.id),
      record: async (receipt) => {
        stopIfAborted(signal)
        const { plugin: name } = receiptShape.parse(receipt)
        if (name !== plugin.id) throw new Error(`the receipt is in the name of "${name}"`)
        ledger.record({ plugin: name, data: plainJson(receipt.data ?? null, 'receipt.data') })
      },
      report: (line) => {
        try {
          request.report(line)
        } catch {
          // Contract of `report`: whoever watches cannot stop what is half done.
        }
      },
    }
  }
}

const again = 'Run the same command again: it continues where this one stopped.'

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new BulkheadError('interrupted', 'stopped before everything was done', { remedy: again })
}

/** A context for looking only: nothing may be recorded, so nothing may be done. */
function looking(options: SetupOptions): SetupRequest {
  return { options, signal: AbortSignal.abort(new Error('only looking')), report: () => undefined }
}

function isDone(parts: readonly SetupPart[]): boolean {
  return parts.every(({ steps }) => steps.length === 0)
}
