import { BulkheadError } from '../../core/contracts/index.ts'
import type { SetupContext } from '../../core/contracts/index.ts'
import { agentsGroup } from '../_windows/agents-group.ts'
import { leaseFile } from './lease.ts'
import { survey } from './machine.ts'
import type { Machine, Place } from './machine.ts'
import { setupReceipt, usersSid } from './names.ts'
import type { SetupReceipt } from './names.ts'
import { withoutReadGrant } from './read-grant.ts'
import type { Step } from './step.ts'

/** Before anything is touched: an agent whose account is taken away loses its work. */
export function refuseWhileUsed(machine: Machine): void {
  for (const { name, secretFile, ours } of survey(machine)) {
    if (!ours || machine.files.read(machine.directory, 'access') === undefined) continue
    const lease = machine.files.lock(leaseFile(secretFile))
    if (lease === undefined) throw inUse(name)
    lease[Symbol.dispose]()
  }
}

export function accountRemovals(machine: Machine, context: SetupContext): readonly Step[] {
  const places = survey(machine).filter(({ ours }) => ours)
  const known = new Set(places.map(({ account }) => account?.sid))
  const recorded = receiptsOf(context).flatMap((one) => (one.kind === 'account' && one.sid !== null ? [one.sid] : []))
  return [
    ...places.toReversed().map((place) => removeAccountStep(machine, place)),
    // Of accounts that somebody else removed, or that went before their profile did.
    ...[...new Set(recorded)].filter((sid) => !known.has(sid)).map((sid) => removeProfileStep(machine, sid)),
  ]
}

export function removeAccountStep(machine: Machine, { name, secretFile, account }: Place): Step {
  const { accounts, files, deleteFile } = machine
  return {
    text: `remove the local account ${name} with its profile, and end what runs under it`,
    done: `removed the local account ${name}`,
    act: async () => {
      const lease = files.lock(leaseFile(secretFile))
      if (lease === undefined) throw inUse(name)
      try {
        if (account !== undefined) {
          accounts.endProcesses(account.sid)
          await patiently(machine, () => accounts.removeProfile(account.sid))
          for (const group of [files.groupSid(agentsGroup), usersSid]) if (group !== undefined) accounts.leave(group, account.sid)
        }
        accounts.show(name)
        accounts.remove(name)
      } finally {
        lease[Symbol.dispose]()
      }
      for (const file of [secretFile, `${secretFile}.new`, leaseFile(secretFile)]) deleteFile(file)
    },
  }
}

function removeProfileStep({ accounts }: Machine, sid: string): Step {
  return {
    text: `remove what is left of the profile of ${sid}, an account that is gone`,
    done: `removed the profile of ${sid}`,
    act: async () => accounts.removeProfile(sid),
  }
}

/** What the accounts needed, once they are gone. */
export function otherRemovals(machine: Machine, context: SetupContext): readonly Step[] {
  return [
    ...receiptsOf(context)
      .toReversed()
      .flatMap((receipt) => (receipt.kind === 'programs' ? takeBackSteps(machine, receipt) : [])),
    ...groupRemoval(machine),
    ...directoryRemoval(machine),
  ]
}

/** Only from the very file that was opened, and only our own entry: what somebody else changed meanwhile stays. */
function takeBackSteps({ files }: Machine, { path, identity }: SetupReceipt & { readonly kind: 'programs' }): readonly Step[] {
  const found = files.read(path, 'access')
  if (found === undefined || found.identity !== identity) return []
  const sddl = withoutReadGrant(found.sddl, found.directory)
  if (sddl === found.sddl) return []
  return [
    {
      text: `take back that local users can read ${path}`,
      done: `local users can no longer read ${path}`,
      act: async () => files.write(path, identity, 'access', sddl),
    },
  ]
}

/** Other users of this machine may have accounts in it. */
function groupRemoval(machine: Machine): readonly Step[] {
  const { accounts, files } = machine
  const sid = files.groupSid(agentsGroup)
  const own = new Set(survey(machine).flatMap(({ ours, account }) => (ours && account !== undefined ? [account.sid] : [])))
  if (sid === undefined || accounts.members(agentsGroup).some((member) => !own.has(member))) return []
  return [
    {
      text: `remove the local group ${agentsGroup} with its rights`,
      done: `removed the local group ${agentsGroup}`,
      act: async () => {
        accounts.clearRights(sid)
        accounts.removeGroup(agentsGroup)
      },
    },
  ]
}

function directoryRemoval({ files, directory }: Machine): readonly Step[] {
  if (files.read(directory, 'access') === undefined) return []
  return [
    {
      text: `delete ${directory} with the passwords`,
      done: `deleted ${directory}`,
      act: async () => files.deleteTree(directory),
    },
  ]
}

function receiptsOf({ recorded }: SetupContext): readonly SetupReceipt[] {
  return recorded.map(({ data }) => setupReceipt.parse(data))
}

function inUse(name: string): BulkheadError {
  return new BulkheadError('setup_incomplete', `an agent is running under the local account ${name}`, {
    remedy: 'Stop the agents (bulkhead stop --all), then run the same command again.',
  })
}

/** A profile is unloaded some time after its last process has ended. */
async function patiently({ wait }: Machine, work: () => void): Promise<void> {
  for (let tries = 20; ; tries--) {
    try {
      return work()
    } catch (error) {
      if (tries <= 1) throw error
      await wait(500)
    }
  }
}
