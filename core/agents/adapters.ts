import { z } from 'zod'
import type { AgentAdapter, AgentCommand } from '../contracts/agent.ts'
import { BulkheadError } from '../contracts/error.ts'
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

/**
 * The same adapters with their answers checked, so that whoever uses them need not: `command` throws `config_invalid` for options that do
 * not fit, `plugin_failed` when the adapter throws or returns a wrong value, and `plugin_invalid` when it does not fulfil its contract.
 * That comes with the first use, since a broken adapter must not stop those who do not use it.
 */
export function checkedAdapters(adapters: ReadonlyMap<string, AgentAdapter>): ReadonlyMap<string, AgentAdapter> {
  return new Map([...adapters].map(([id, adapter]) => [id, checked(id, adapter)]))
}

function checked(id: string, adapter: AgentAdapter): AgentAdapter {
  const fault = contractFault(id, adapter)
  if (fault !== undefined) return broken(id, fault)
  return {
    id,
    contract: 1,
    options: adapter.options,
    command: (given, task) => {
      const options = adapter.options.safeParse(given)
      if (!options.success) {
        throw new BulkheadError('config_invalid', `options of agent adapter "${id}": ${problems(options.error)}`, {
          plugin: id,
          remedy: 'Correct the options of this agent.',
        })
      }
      const command = commandShape.safeParse(answer(id, () => adapter.command(options.data, task)))
      if (command.success) return command.data
      throw failed(id, `it returned a wrong value: ${problems(command.error)}`)
    },
  }
}

function broken(id: string, fault: string): AgentAdapter {
  return {
    id,
    contract: 1,
    options: z.unknown(),
    command: () => {
      throw new BulkheadError('plugin_invalid', `agent adapter "${id}" does not fulfil its contract: ${fault}`, {
        plugin: id,
        remedy: 'Update the adapter, or choose another one for this agent.',
      })
    },
  }
}

function answer(id: string, ask: () => AgentCommand): unknown {
  try {
    return ask()
  } catch (error) {
    // What the user wrote, with the adapter's own advice.
    if (BulkheadError.is(error) && error.code === 'config_invalid') throw error
    throw failed(id, error instanceof Error ? error.message : String(error), error)
  }
}

function contractFault(id: string, adapter: unknown): string | undefined {
  if (typeof adapter !== 'object' || adapter === null) return 'it is not an object'
  // Perhaps written by somebody who did not use the types.
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
