import { platform } from './current.ts'
import type { NativeLauncher } from './platform.ts'

export { createHost } from './host.ts'
export type { NativeLauncher } from './platform.ts'
export { canonicalPath, foldCase, isInside, nameFault, resolvePath, samePath } from './windows/path/index.ts'
export { localAccounts } from './windows/accounts.ts'
export type { LocalAccount, LocalAccounts } from './windows/accounts.ts'
export { agentPool, poolDirectory, programFiles, sweepAccount } from './windows/agent-pool.ts'
export type { PooledAccount } from './windows/agent-pool.ts'
export { fileSecurity } from './windows/security.ts'
export type { FileSecurity, SecuredObject, SecurityPart } from './windows/security.ts'
export { isAlive, processIdentity } from './process.ts'
export { userFolders } from './user-folders.ts'

/** Starts nothing yet: what it needs starts with the first launch or probe. */
export function createLauncher(): NativeLauncher {
  return platform.createLauncher()
}

/** Deletes what cannot be deleted by name, where this system has such a thing. Throws what `FileSecurity.deleteTree` throws. */
export const deleteTree = platform.deleteTree

/** Does nothing and ends with 0; on this system every agent can run it. */
export const harmlessCommand: readonly string[] = platform.harmlessCommand
