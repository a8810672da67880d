import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

/** What a verb needs of the world around it. */
export interface VerbContext {
  readonly terminal: Terminal
  readonly variables: NodeJS.ProcessEnv
  readonly directory: string
  /** The whole command line with every verb. */
  all(): Promise<Command>
  /** The process ends with this code when the verb returns without throwing. */
  exit(code: number): void
}

export interface Verb {
  /** Adds the verb to the command line. What it does is loaded when it runs, so that help and completion stay fast. */
  register(program: Command, context: VerbContext): void
}
