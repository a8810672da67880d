import { z } from 'zod'
import type { AgentAdapter, AgentCommand, AgentTask } from '../contracts/agent.ts'
import { BulkheadError } from '../contracts/error.ts'
import { nearest } from '../contracts/nearest.ts'
import { fileNameFault } from './file-name.ts'

const idPattern = /^agent(-[a-z0-9]+)+$/

const text = z.string().refine((value) => !value.includes('\0'), 'contains a NUL character')
const fileName = z.string().superRefine((name, context) => {
  const fault = fileNameFault(name)
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `name ${JSON.stringify(name)} ${fault}` })
})

const commandShape = z.object({
  argv: z.tuple([text.min(1)], text),
  environment: z.record(z.string().regex(/^[^=\0]+$/, 'is no name for a variable'), text),
  stdin: z.string().nullable(),
  files: z.record(fileName, z.string()),
})

/** The agent adapters that are installed. What an adapter returns is checked before it is used. */
export class AgentRegistry {
  readonly #adapters: ReadonlyMap<string, AgentAdapter>

  constructor(adapters: ReadonlyMap<string, AgentAdapter>) {
    this.#adapters = adapters
  }

  /** Throws `plugin_unknown` with the nearest name, `plugin_invalid`. */
  get(id: string): AgentAdapter {
    const adapter = this.#adapters.get(id)
    if (adapter === undefined) throw this.#unknown(id)
    const fault = contractFault(id, adapter)
    if (fault === undefined) return adapter
    throw new BulkheadError('plugin_invalid', `agent adapter "${id}" does not fulfil its contract: ${fault}`, {
      plugin: id,
      remedy: 'Update the adapter, or choose another one for this agent.',
    })
  }

  /** The options with their defaults. Throws `config_invalid`, and what `get` throws. */
  options(id: string, options: unknown): unknown {
    const parsed = this.get(id).options.safeParse(options)
    if (parsed.success) return parsed.data
    throw new BulkheadError('config_invalid', `options of agent adapter "${id}": ${problems(parsed.error)}`, {
      plugin: id,
      remedy: 'Correct the options of this agent.',
    })
  }

  /** The command for one attempt. Throws `plugin_failed` when the adapter throws or returns a wrong value, and what `options` throws. */
  command(id: string, options: unknown, task: AgentTask): AgentCommand {
    const adapter = this.get(id)
    const valid = this.options(id, options)
    let command: unknown
    try {
      command = adapter.command(valid, task)
    } catch (error) {
      throw failed(id, error instanceof Error ? error.message : String(error), error)
    }
    const parsed = commandShape.safeParse(command)
    if (!parsed.success) throw failed(id, `it returned a wrong value: ${problems(parsed.error)}`)
    return parsed.data
  }

  #unknown(id: string): BulkheadError {
    const meant = nearest(id, this.#adapters.keys())
    const installed = `Installed: ${[...this.#adapters.keys()].toSorted().join(', ') || 'none'}.`
    return new BulkheadError('plugin_unknown', `agent adapter "${id}" is not installed`, {
      plugin: id,
      remedy: meant === undefined ? installed : `Did you mean "${meant}"? ${installed}`,
    })
  }
}

function contractFault(id: string, adapter: AgentAdapter): string | undefined {
  // Typed, but perhaps written by somebody who did not use the types.
  const given: Partial<Record<keyof AgentAdapter, unknown>> = adapter
  if (!idPattern.test(id)) return 'its id is not of the form agent-<name>'
  if (given.id !== id) return `it calls itself "${String(given.id)}"`
  if (given.contract !== 1) return `it is written for contract ${String(given.contract)}, this is 1`
  if (typeof (given.options as { safeParse?: unknown } | undefined)?.safeParse !== 'function') return 'options is not a zod type'
  if (typeof given.command !== 'function') return 'command is not a function'
  return undefined
}

function failed(id: string, what: string, cause?: unknown): BulkheadError {
  return new BulkheadError('plugin_failed', `agent adapter "${id}", command: ${what}`, {
    plugin: id,
    operation: 'command',
    remedy: 'Report this to the author of the adapter, or choose another one for this agent.',
    cause,
  })
}

function problems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ')
}
