import type { AgentAdapter } from '../contracts/agent.ts'
import type { AgentConfiguration } from '../contracts/configuration.ts'
import { nearest } from '../contracts/nearest.ts'
import { explain } from './explain.ts'
import { toJsonSchema } from './json-schema.ts'
import type { Problem } from './problem.ts'
import { problemAt, type YamlFile } from './located.ts'

export type AgentAdapters = ReadonlyMap<string, AgentAdapter>

/** Checks the agents of one file against their adapters. What is wrong is added to `problems`. */
export function resolveAgents(
  written: Readonly<Record<string, AgentConfiguration>>,
  file: YamlFile,
  adapters: AgentAdapters,
  problems: Problem[],
): Record<string, AgentConfiguration> {
  for (const [name, { adapter: id, options }] of Object.entries(written)) {
    const at = ['agents', name]
    const adapter = adapters.get(id)
    if (adapter === undefined) {
      const meant = nearest(id, adapters.keys())
      const hint = meant === undefined ? '' : `Did you mean "${meant}"? `
      const remedy = `${hint}Installed: ${[...adapters.keys()].join(', ')}.`
      problems.push(problemAt(file, [...at, 'adapter'], `adapter "${id}" is not installed`, remedy, 'plugin_unknown'))
      continue
    }
    const result = adapter.options.safeParse(options)
    if (!result.success) problems.push(...explain(file, result.error.issues, toJsonSchema(adapter.options), at))
  }
  return { ...written }
}
