import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BulkheadError } from '../../core/contracts/index.ts'
import { fileSecurity, localAccounts, poolDirectory, programFiles } from '../../native/index.ts'
import type { FileSecurity, LocalAccount, LocalAccounts } from '../../native/index.ts'
import { agentsGroup } from '../_windows/agents-group.ts'
import { accountComment, accountName, groupRights, mostAccounts } from './names.ts'

/** What setting up works with; a test has a machine of its own. */
export interface Machine {
  readonly accounts: LocalAccounts
  readonly files: Pick<FileSecurity, 'read' | 'write' | 'makeDirectory' | 'deleteTree' | 'userSid' | 'groupSid' | 'lock'>
  /** Where passwords and leases are. Canonical. */
  readonly directory: string
  /** Bulkhead's own programs, that agents run or load, and their directory first. Canonical. */
  readonly programs: readonly string[]
  /** Names of the files in `directory`; none when it does not exist. */
  readonly list: () => readonly string[]
  /** Nothing there: nothing to do. */
  readonly deleteFile: (path: string) => void
  readonly makeParents: (path: string) => void
  readonly wait: (milliseconds: number) => Promise<void>
}

/** Throws `host_unsupported`, `native_not_built`, `native_failed`. */
export function thisMachine(): Machine {
  if (process.platform !== 'win32') {
    throw new BulkheadError('host_unsupported', 'agent accounts are a feature of Windows', {
      remedy: 'Name an environment of this system.',
    })
  }
  const files = fileSecurity()
  const directory = poolDirectory()
  return {
    accounts: localAccounts(),
    files,
    directory,
    programs: programFiles(),
    list: () => {
      try {
        return readdirSync(directory)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    },
    deleteFile: (path) => rmSync(path, { force: true }),
    makeParents: (path) => void mkdirSync(dirname(path), { recursive: true }),
    wait: (milliseconds) => delay(milliseconds),
  }
}

/** One place of the pool as it was found. */
export interface Place {
  readonly name: string
  readonly index: number
  readonly secretFile: string
  readonly account: LocalAccount | undefined
  /** Made by Bulkhead for this user, as the account's comment says. */
  readonly ours: boolean
  /** What keeps it from being as it should be; empty: nothing. */
  readonly faults: readonly string[]
}

/** Every place up to the last that could exist. Reads only. */
export function survey(machine: Machine): readonly Place[] {
  const owner = machine.files.userSid()
  const group = machine.accounts.members(agentsGroup)
  const files = new Set(machine.list())
  return Array.from({ length: mostAccounts }, (_, at) => {
    const index = at + 1
    const name = accountName(owner, index)
    const secretFile = join(machine.directory, `${name}.secret`)
    const account = machine.accounts.read(name)
    const place = { name, index, secretFile, account, ours: account?.comment === accountComment(owner) }
    return { ...place, faults: account === undefined ? ['does not exist'] : faultsOf(machine, { name, secretFile, account }, group, files) }
  })
}

function faultsOf(
  { accounts }: Machine,
  { name, secretFile, account }: { readonly name: string; readonly secretFile: string; readonly account: LocalAccount },
  group: readonly string[],
  files: ReadonlySet<string>,
): readonly string[] {
  const interrupted = files.has(`${name}.secret.new`)
  return [
    ...(files.has(`${name}.secret`) && !interrupted && accounts.opens(name, secretFile) ? [] : ['its password cannot be opened']),
    ...(account.disabled ? ['is disabled or locked'] : []),
    ...(group.includes(account.sid) ? [] : ['is not in its group']),
    ...(accounts.isHidden(name) ? [] : ['is shown on the sign-in screen']),
  ]
}

/** Whether the group exists with its rights; rights that this process may not ask for are taken for granted. */
export function groupIsComplete({ accounts, files }: Machine): boolean {
  const sid = files.groupSid(agentsGroup)
  if (sid === undefined) return false
  const rights = accounts.rights(sid)
  return rights === undefined || groupRights.every((right) => rights.includes(right))
}
