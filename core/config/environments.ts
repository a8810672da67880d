import type { BuiltInEnvironments } from '../contracts/configuration.ts'
import type { EnvironmentSpec } from '../contracts/job.ts'
import { type Layer, type LayerPlugin, layers } from '../contracts/layer.ts'
import { nearest } from '../contracts/nearest.ts'
import { explain, show } from './explain.ts'
import { toJsonSchema } from './json-schema.ts'
import type { Problem } from './problem.ts'
import type { WrittenEnvironment } from './schema.ts'
import { type KeyPath, problemAt, type YamlFile } from './located.ts'

export type LayerPlugins = ReadonlyMap<string, LayerPlugin>

/** The built-in environments, with every option at its default. Options are kept as written; a plugin's own schema adds the defaults. */
export function builtInEnvironments({ plugins }: BuiltInEnvironments): Record<string, EnvironmentSpec> {
  return Object.fromEntries(
    Object.entries(plugins).map(([name, chosen]) => [
      name,
      { name, layers: mapLayers((layer) => ({ plugin: chosen[layer], options: {} })), degrade: [] },
    ]),
  )
}

/**
 * The environments that a user's own file defines. Of a built-in one it can only say which layers may hold less (`degrade`). What is wrong
 * with one is added to `problems`.
 */
export function writtenEnvironments(
  written: Readonly<Record<string, WrittenEnvironment>>,
  file: YamlFile,
  known: { readonly builtIn: BuiltInEnvironments; readonly layers: LayerPlugins },
  problems: Problem[],
): Record<string, EnvironmentSpec> {
  const { usual, plugins } = known.builtIn
  return Object.fromEntries(
    Object.entries(written).map(([name, environment]) => {
      const at = ['environments', name]
      const builtIn = Object.hasOwn(plugins, name) ? plugins[name] : undefined
      if (builtIn !== undefined && layers.some((layer) => environment[layer] !== undefined)) {
        const remedy = 'Choose another name for yours; of a built-in one only "degrade" can be set.'
        problems.push(problemAt(file, at, `environment "${name}" is built in`, remedy))
      }
      const chosen = mapLayers((layer) => {
        const choice = environment[layer]
        if (choice === undefined) return { plugin: (builtIn ?? plugins[usual])?.[layer] ?? '', options: {} }
        return { plugin: choice.plugin, options: checkedOptions(file, [...at, layer], layer, choice, known.layers, problems) }
      })
      return [name, { name, layers: chosen, degrade: [...new Set(environment.degrade)] }]
    }),
  )
}

function checkedOptions(
  file: YamlFile,
  at: KeyPath,
  layer: Layer,
  choice: { readonly plugin: string; readonly options: object },
  plugins: LayerPlugins,
  problems: Problem[],
): unknown {
  const plugin = plugins.get(choice.plugin)
  if (plugin?.layer !== layer) {
    const fitting = [...plugins.values()].filter((one) => one.layer === layer).map(({ id }) => id)
    const meant = nearest(choice.plugin, fitting)
    const rule =
      plugin === undefined ? `plugin "${choice.plugin}" is not installed` : `plugin "${choice.plugin}" is for the ${plugin.layer} layer`
    const hint = meant === undefined ? '' : `Did you mean "${meant}"? `
    problems.push(problemAt(file, at, `${show(at)}: ${rule}`, `${hint}Installed for ${layer}: ${fitting.join(', ')}.`, 'plugin_unknown'))
    return {}
  }
  const result = plugin.options.safeParse(choice.options)
  if (result.success) return choice.options
  problems.push(...explain(file, result.error.issues, toJsonSchema(plugin.options), at))
  return {}
}

function mapLayers<T>(of: (layer: Layer) => T): Record<Layer, T> {
  return Object.fromEntries(layers.map((layer) => [layer, of(layer)])) as Record<Layer, T>
}
