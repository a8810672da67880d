import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { RepositoryApp } from '../compose.ts'
import { escapeLine } from './render/escape.ts'
import type { VerbContext } from './verb.ts'

export interface CommonOptions {
  readonly directory?: string
  readonly config?: string
  readonly json?: boolean
  readonly environment?: string
}

/** Options of every verb that works on a repository. */
export function onRepository(command: Command): Command {
  return command
    .option('-C, --directory <dir>', 'work on the repository that contains this directory')
    .option('--config <file>', 'your own configuration file, instead of the usual one')
}

export function withJson(command: Command, what: string): Command {
  return command.option('--json', `print ${what} as JSON`)
}

/** What a verb did: a line for people, an object for programs. */
export function tell({ terminal }: VerbContext, { json }: CommonOptions, line: string, value: object): void {
  if (json === true) terminal.json(value)
  else terminal.out(escapeLine(line))
}

/** The part of the help that shows how a verb is used. Every verb has one. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/** Opens the repository, does the work, and closes everything again. */
export async function inRepository<T>(context: VerbContext, options: CommonOptions, work: (app: RepositoryApp) => Promise<T>): Promise<T> {
  const { composeRepository } = await import('../compose.ts')
  const app = await composeRepository({
    directory: resolve(context.directory, options.directory ?? '.'),
    variables: context.variables,
    configFile: options.config === undefined ? null : resolve(context.directory, options.config),
    environment: options.environment ?? null,
  })
  try {
    return await work(app)
  } finally {
    await app[Symbol.asyncDispose]()
  }
}
