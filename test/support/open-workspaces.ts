import { surroundingsOf } from '../../core/compose-command.ts'
import { stateHome } from '../../core/config/locate.ts'
import type { Workspaces } from '../../core/contracts/workspace.ts'
import { deleteTree, isAlive, processIdentity } from '../../native/index.ts'
import { openWorkspaces } from '../../workspaces/index.ts'
import type { WorkspacesOptions } from '../../workspaces/options.ts'

/** The git side as the command line opens it. */
export function workspacesOptions(directory: string, variables: NodeJS.ProcessEnv): WorkspacesOptions {
  const processes = { self: processIdentity(process.pid), isAlive }
  return { directory, variables, stateHome: stateHome(surroundingsOf({ directory, variables })), processes, deleteTree }
}

// Async, so that what is wrong with the variables rejects as everything else does.
export const openAt = async (directory: string, variables: NodeJS.ProcessEnv): Promise<Workspaces> =>
  openWorkspaces(workspacesOptions(directory, variables))
