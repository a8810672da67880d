import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentAccount } from '../../core/contracts/index.ts'
import { nativeDirectory } from '../module.ts'
import { userFolders } from '../user-folders.ts'
import { localAccounts } from './accounts.ts'
import { ProcessLauncher } from './launcher.ts'
import { fileSecurity } from './security.ts'

/** Where this user's passwords and leases are: made by `bulkhead setup windows`. Canonical. */
export function poolDirectory(): string {
  return join(canonical(userFolders(process.env).state), 'bulkhead', 'accounts')
}

/** What agents run or load of Bulkhead itself: the directory, then the files in it. Canonical. */
export function programFiles(): readonly string[] {
  const directory = canonical(nativeDirectory())
  return [directory, ...['bulkhead-launcher.exe', 'bulkhead-hook.dll'].map((name) => join(directory, name))]
}

function canonical(path: string): string {
  return fileSecurity().finalPath(path) ?? path
}

const secretEnding = '.secret'

export interface PooledAccount extends AgentAccount {
  /** Why no agent can run under it; null: one can. */
  readonly fault: string | null
}

/**
 * The accounts whose passwords lie in `directory`, by name. That an account is in the pool is stored nowhere else: it is there when its
 * password is, and usable when the account database knows it and this user can open the password.
 */
export function agentPool(directory: string): readonly PooledAccount[] {
  return secretsIn(directory).map((name) => {
    const secretFile = join(directory, `${name}${secretEnding}`)
    const account = localAccounts().read(name)
    return { name, secretFile, sid: account?.sid ?? '', fault: faultOf(name, secretFile, account) }
  })
}

function faultOf(name: string, secretFile: string, account: ReturnType<ReturnType<typeof localAccounts>['read']>): string | null {
  if (account === undefined) return 'the account does not exist any more'
  if (account.disabled) return 'the account is disabled or locked'
  if (existsSync(`${secretFile}.new`)) return 'giving it a new password was interrupted'
  return localAccounts().opens(name, secretFile) ? null : 'its password cannot be opened'
}

/** Names of accounts with a password, also of those that were being given a new one when something died. */
function secretsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith(secretEnding))
      .map((file) => file.slice(0, -secretEnding.length))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * Ends every process that runs under the account and deletes what they left in its profile for temporary files. Needs no rights, but its
 * lease. Throws `host_unsupported`, `native_failed`; then it is not certain that nothing is left.
 */
export async function sweepAccount(account: AgentAccount): Promise<void> {
  await using launcher = new ProcessLauncher()
  await launcher.sweep(account)
}
