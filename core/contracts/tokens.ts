import type { AgentAdapter, AgentRuns } from './agent.ts'
import type { Enforcement } from './enforcement.ts'
import type { Journal } from './journal.ts'
import type { Host, LayerPlugin } from './layer.ts'
import type { Launcher } from './sandbox.ts'
import type { MergeQueue, Workspaces } from './workspace.ts'

/** A typed injection token: what `compose.ts` binds and constructors ask for by `@inject(token)`. */
export type Token<T> = symbol & { readonly __type?: T }

export const JournalToken: Token<Journal> = Symbol('Journal')
export const LauncherToken: Token<Launcher> = Symbol('Launcher')
export const HostToken: Token<Host> = Symbol('Host')
export const EnforcementToken: Token<Enforcement> = Symbol('Enforcement')
export const AgentRunsToken: Token<AgentRuns> = Symbol('AgentRuns')
export const WorkspacesToken: Token<Workspaces> = Symbol('Workspaces')
export const MergeQueueToken: Token<MergeQueue> = Symbol('MergeQueue')
export const LayerPluginsToken: Token<ReadonlyMap<string, LayerPlugin>> = Symbol('LayerPlugins')
export const AgentAdaptersToken: Token<ReadonlyMap<string, AgentAdapter>> = Symbol('AgentAdapters')
export const LoggerToken: Token<Logger> = Symbol('Logger')

/** The part of pino that Bulkhead uses. Never log environments, prompts or agent output. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
