import type { ProcessIdentity } from '../core/contracts/sandbox.ts'

export interface WorkspacesOptions {
  /** Somewhere in the repository. */
  readonly directory: string
  /** PATH names git; the rest is where git looks for the user's own configuration. */
  readonly variables: NodeJS.ProcessEnv
  /** Directory above the state of every repository; canonical, made when absent. */
  readonly stateHome: string
  /** Who makes a workspace or moves a checkout is written down, so that what a dead process began is undone and nothing else is. */
  readonly processes: { readonly self: ProcessIdentity; isAlive(process: ProcessIdentity): boolean }
}
