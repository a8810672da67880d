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
  /**
   * Deletes a directory that cannot be deleted by name: what is in it shuts its owner out, or lies deeper than a path can say. Follows no
   * link. Null where it takes nothing of the system to do that.
   */
  readonly deleteTree: ((directory: string) => void) | null
}
