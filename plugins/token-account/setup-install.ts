import { BulkheadError } from '../../core/contracts/index.ts'
import type { SetupContext } from '../../core/contracts/index.ts'
import { agentsGroup } from '../_windows/agents-group.ts'
import { groupIsComplete, survey } from './machine.ts'
import type { Machine, Place } from './machine.ts'
import { accountComment, groupRights, secretDescriptor, usersSid, usualCount } from './names.ts'
import { letsUsersRead, withReadGrant } from './read-grant.ts'
import { removeAccountStep } from './setup-remove.ts'
import type { Step } from './step.ts'

/** What is missing or wrong, in the order in which it is needed. */
export function stepsToInstall(machine: Machine, { options }: SetupContext): readonly Step[] {
  const places = survey(machine)
  const wanted = options.accounts ?? places.findLast(({ ours }) => ours)?.index ?? usualCount
  return [
    ...directoryStep(machine),
    ...groupStep(machine),
    ...places.filter(({ index, faults }) => index <= wanted && faults.length > 0).map((place) => accountStep(machine, place)),
    ...places.filter(({ index, ours }) => index > wanted && ours).map((place) => removeAccountStep(machine, place)),
    ...programSteps(machine),
  ]
}

function directoryStep({ files, directory, makeParents }: Machine): readonly Step[] {
  const owner = files.userSid()
  const found = files.read(directory, 'access')
  if (found?.sddl.startsWith('D:P') === true) return []
  return [
    {
      text: `make ${directory}, where passwords are kept that only you can open`,
      done: `made ${directory}`,
      act: async (record) => {
        await record({ kind: 'directory', path: directory })
        makeParents(directory)
        const sddl = secretDescriptor(owner, true)
        if (found === undefined) files.makeDirectory(directory, sddl)
        else files.write(directory, found.identity, 'access', sddl.replace(/S:.*$/, ''))
      },
    },
  ]
}

function groupStep(machine: Machine): readonly Step[] {
  if (groupIsComplete(machine)) return []
  return [
    {
      text: `make the local group ${agentsGroup}: its members may log on locally, and not over the network, remotely, as a batch job or as a service`,
      done: `made the local group ${agentsGroup}`,
      act: async (record) => {
        await record({ kind: 'group' })
        machine.accounts.makeGroup(agentsGroup, 'Accounts under which agents run. Made by Bulkhead.')
        machine.accounts.addRights(groupSid(machine), groupRights)
      },
    },
  ]
}

function accountStep(machine: Machine, place: Place): Step {
  const { accounts, files } = machine
  const { name, secretFile } = place
  const made = place.account === undefined
  return {
    text: made
      ? `make the local account ${name}: an ordinary user with a random password, hidden on the sign-in screen`
      : `repair the local account ${name}, which ${place.faults.join(' and ')}; it gets a new password`,
    done: `${made ? 'made' : 'repaired'} the local account ${name}`,
    act: async (record) => {
      if (!made && !place.ours) throw foreign(name)
      const owner = files.userSid()
      await record({ kind: 'account', name, sid: null })
      accounts.make(name, accountComment(owner), secretFile, secretDescriptor(owner, false))
      const account = accounts.read(name)
      if (account === undefined) throw new BulkheadError('setup_incomplete', `the local account ${name} vanished while it was made`)
      await record({ kind: 'account', name, sid: account.sid })
      accounts.join(groupSid(machine), account.sid)
      accounts.join(usersSid, account.sid)
      accounts.hide(name)
    },
  }
}

/** Agents run Bulkhead's launcher and load its hook; where it is installed for one user, nobody else could read them. */
function programSteps({ files, programs }: Machine): readonly Step[] {
  return programs.flatMap((path): readonly Step[] => {
    const found = files.read(path, 'access')
    if (found === undefined || letsUsersRead(found.sddl)) return []
    return [
      {
        text: `let local users read ${path}`,
        done: `local users can read ${path}`,
        act: async (record) => {
          await record({ kind: 'programs', path, identity: found.identity })
          files.write(path, found.identity, 'access', withReadGrant(found.sddl, found.directory))
        },
      },
    ]
  })
}

function foreign(name: string): BulkheadError {
  return new BulkheadError('setup_incomplete', `there is a local account ${name} that Bulkhead did not make`, {
    remedy: 'Rename or remove it, then run the same command again.',
  })
}

function groupSid({ files }: Machine): string {
  const sid = files.groupSid(agentsGroup)
  if (sid !== undefined) return sid
  throw new BulkheadError('setup_incomplete', `the local group ${agentsGroup} vanished while it was made`)
}
