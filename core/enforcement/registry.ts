import { BulkheadError } from '../contracts/error.ts'
import { layers } from '../contracts/layer.ts'
import type { Layer, LayerPlugin } from '../contracts/layer.ts'
import { nearest } from '../contracts/nearest.ts'

/** `<layer>-<mechanism>`, as the folder is called. */
const idPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/

const hooks = ['probe', 'plan', 'apply', 'recover'] as const

/**
 * The layer plugins that are installed, each checked against the contract when it is first asked for: a broken plugin must not stop those
 * who do not use it.
 */
export class LayerRegistry {
  readonly #plugins: ReadonlyMap<string, LayerPlugin>
  readonly #checked = new Set<string>()

  constructor(plugins: ReadonlyMap<string, LayerPlugin>) {
    this.#plugins = plugins
  }

  /** The plugin `id` for `layer`. Throws `plugin_unknown` with the nearest name, `plugin_invalid`. */
  get(layer: Layer, id: string): LayerPlugin {
    const plugin = this.find(id)
    if (plugin === undefined || plugin.layer !== layer) throw this.#unknown(layer, id, plugin)
    return plugin
  }

  /** By id alone; undefined when it is not installed. Throws `plugin_invalid`. */
  find(id: string): LayerPlugin | undefined {
    const plugin = this.#plugins.get(id)
    if (plugin === undefined) return undefined
    if (!this.#checked.has(id)) {
      const faults = contractFaults(id, plugin)
      if (faults.length > 0) {
        throw new BulkheadError('plugin_invalid', `plugin "${id}" does not fulfil its contract: ${faults.join('; ')}`, {
          plugin: id,
          remedy: 'Update the plugin, or choose another one.',
        })
      }
      this.#checked.add(id)
    }
    return plugin
  }

  /** Ids of the plugins that offer a capability. */
  providersOf(capability: string): readonly string[] {
    return [...this.#plugins].filter(([, plugin]) => listOf(plugin, 'provides').includes(capability)).map(([id]) => id)
  }

  #unknown(layer: Layer, id: string, other: LayerPlugin | undefined): BulkheadError {
    const ofLayer = [...this.#plugins].filter(([, plugin]) => valueOf(plugin, 'layer') === layer).map(([name]) => name)
    const meant = other === undefined ? nearest(id, ofLayer) : undefined
    const installed =
      ofLayer.length === 0 ? `No ${layer} plugin is installed.` : `Installed for this layer: ${ofLayer.toSorted().join(', ')}.`
    const what = other === undefined ? 'is not installed' : `is a plugin for the ${other.layer} layer, not for ${layer}`
    return new BulkheadError('plugin_unknown', `${layer} plugin "${id}" ${what}`, {
      plugin: id,
      remedy: meant === undefined ? installed : `Did you mean "${meant}"? ${installed}`,
    })
  }
}

/** Everything that is wrong with a plugin, in words; empty when it fulfils the contract. `plugin` is not trusted to be an object. */
export function contractFaults(id: string, plugin: unknown): readonly string[] {
  if (typeof plugin !== 'object' || plugin === null) return ['it is not an object']
  const contract = valueOf(plugin, 'contract')
  const options = valueOf(plugin, 'options')
  const checks: readonly (readonly [boolean, string])[] = [
    [idPattern.test(id), 'its id is not of the form <layer>-<mechanism>'],
    [valueOf(plugin, 'id') === id, `it calls itself "${String(valueOf(plugin, 'id'))}"`],
    [layers.includes(valueOf(plugin, 'layer') as Layer), `its layer is none of ${layers.join(', ')}`],
    [contract === 1, `it is written for contract ${String(contract)}, this is 1`],
    [typeof options === 'object' && options !== null && typeof valueOf(options, 'safeParse') === 'function', 'options is not a zod type'],
    [isNames(valueOf(plugin, 'provides')), 'provides is not a list of names'],
    [isNames(valueOf(plugin, 'requires')), 'requires is not a list of names'],
    [isSetup(valueOf(plugin, 'setup')), 'setup has no describe, install and remove'],
    ...hooks.map((hook) => [typeof valueOf(plugin, hook) === 'function', `${hook} is not a function`] as const),
  ]
  return checks.filter(([good]) => !good).map(([, fault]) => fault)
}

function valueOf(from: object, key: string): unknown {
  return (from as Record<string, unknown>)[key]
}

function isSetup(setup: unknown): boolean {
  if (setup === undefined) return true
  if (typeof setup !== 'object' || setup === null) return false
  return ['describe', 'install', 'remove'].every((hook) => typeof valueOf(setup, hook) === 'function')
}

function listOf(plugin: object, key: string): readonly string[] {
  const value = valueOf(plugin, key)
  return isNames(value) ? value : []
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '')
}
