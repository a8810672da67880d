import { resolve } from 'node:path'
import type { CommandApp } from '../../compose-command.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { EnvironmentSpec } from '../../contracts/job.ts'
import type { SetupChange, SetupOptions } from '../../contracts/layer.ts'
import { nearest } from '../../contracts/nearest.ts'
import type { SetupPart } from '../../contracts/setup.ts'
import { type CommonOptions, examples, withJson } from '../app.ts'
import { Interrupt } from '../interrupt.ts'
import { numberOption } from '../options.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb, VerbContext } from '../verb.ts'

interface SetupVerbOptions extends CommonOptions {
  readonly remove?: boolean
  readonly accounts?: number
  readonly dryRun?: boolean
}

export const setup: Verb = {
  register(program, context) {
    const command = program
      .command('setup')
      .argument('<environment>')
      .description(
        'Prepare this machine, once and as an administrator, for the layers of an environment; nothing is ever elevated silently',
      )
      .option('--remove', 'undo it, completely')
      .option('--accounts <number>', 'agents that are to run at once, where layers give each an account of its own')
      .option('--dry-run', 'only say what would be done; needs no rights')
      .option('--config <file>', 'your own configuration file, instead of the usual one')
    command.options.find(({ long }) => long === '--accounts')?.argParser(numberOption(1, 64))
    withJson(command, 'what is to do and what was done').action(async (name: string, options: SetupVerbOptions) =>
      act(context, name, options),
    )
    examples(command, ['bulkhead setup windows', 'bulkhead setup windows --accounts 16', 'bulkhead setup windows --remove'])
    command.addHelpText(
      'after',
      '\nRun again, it changes only what is not as it should be. bulkhead doctor says whether an environment needs it.',
    )
  },
}

async function act(context: VerbContext, name: string, options: SetupVerbOptions): Promise<void> {
  const { composeCommand } = await import('../../compose-command.ts')
  const app = await composeCommand({
    directory: context.directory,
    variables: context.variables,
    configFile: options.config === undefined ? null : resolve(context.directory, options.config),
    environment: null,
  })
  try {
    await carryOut(context, app, environmentOf(app, name), options)
  } finally {
    await app[Symbol.asyncDispose]()
  }
}

async function carryOut(context: VerbContext, app: CommandApp, environment: EnvironmentSpec, options: SetupVerbOptions): Promise<void> {
  const { terminal } = context
  const change: SetupChange = options.remove === true ? 'remove' : 'install'
  const wanted: SetupOptions = { accounts: options.accounts ?? null }
  const machine = await app.setup()
  const planned = await machine.describe(change, environment, wanted)
  if (options.json !== true) for (const line of describe(change, environment, planned)) terminal.note(line)
  using interrupt = new Interrupt()
  const done =
    options.dryRun === true
      ? []
      : await machine.carryOut(change, environment, {
          options: wanted,
          signal: interrupt.stop,
          report: (line) => {
            if (options.json !== true) terminal.out(escapeLine(line))
          },
        })
  if (options.json === true) terminal.json({ environment: environment.name, change, planned, done })
}

function environmentOf({ configuration: { environments } }: CommandApp, name: string): EnvironmentSpec {
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined
  if (environment !== undefined) return environment
  const meant = nearest(name, Object.keys(environments))
  throw new BulkheadError('usage_invalid', `there is no environment "${name}"`, {
    remedy: `${meant === undefined ? '' : `Did you mean "${meant}"? `}There are: ${Object.keys(environments).join(', ')}.`,
  })
}

function describe(change: SetupChange, { name }: EnvironmentSpec, parts: readonly SetupPart[]): string[] {
  if (parts.length === 0) return [`Nothing has to be set up for environment "${name}".`]
  const open = parts.filter(({ steps }) => steps.length > 0)
  if (open.length === 0) {
    return [change === 'install' ? `Environment "${name}" is set up already.` : `Nothing of environment "${name}" is set up.`]
  }
  const what = change === 'install' ? 'Setting up' : 'Removing the setup of'
  return [
    `${what} environment "${name}":`,
    ...open.flatMap(({ layer, plugin, steps }) => [`  ${layer} (${plugin})`, ...steps.map((step) => escapeLine(`    ${step}`))]),
  ]
}
