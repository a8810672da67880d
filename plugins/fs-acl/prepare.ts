import type { EmptyWorkspace } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { resolvePath } from '../../native/index.ts'
import type { FileSecurity } from '../../native/index.ts'
import { agentsGroup } from '../_windows/agents-group.ts'
import { closedDescriptor, grantedDescriptor, outerDescriptor } from './descriptors.ts'
import type { Principals } from './descriptors.ts'
import type { AclOptions } from './options.ts'
import { parseEntry, parseList, sameSid } from './sddl.ts'
import { workspaceSid } from './sid.ts'

/**
 * Sets the lists of a workspace while it is empty: closed to agents, but for the tree and the agent’s git directory; and `.git` in the tree
 * is there from the beginning and closed again, so that nobody can make one. Throws `host_unsupported`, `native_failed`.
 */
export function prepareWorkspace(workspace: EmptyWorkspace, options: AclOptions, security: FileSecurity): void {
  const at = (path: string): string => canonical(path, security)
  const who = principalsOf(at(workspace.path), security)
  const directory = at(workspace.directory)
  const found = security.read(directory, 'access')
  if (found === undefined || !found.directory || found.link) throw unusable(directory, 'is not a directory')
  security.write(directory, found.identity, 'access', outerDescriptor(who))
  requireTaken(directory, outerDescriptor(who), security)

  const made = [
    [at(workspace.making.path), grantedDescriptor(who, options.label)],
    [at(`${workspace.making.path}\\.git`), closedDescriptor(who, { readable: false })],
    [at(workspace.making.gitDirectory), grantedDescriptor(who, options.label)],
  ] as const
  for (const [path, descriptor] of made) {
    security.makeDirectory(path, descriptor)
    requireTaken(path, descriptor, security)
  }
}

/** Who is named in the lists of the workspace at `path`, which is canonical. */
export function principalsOf(path: string, security: FileSecurity): Principals {
  return { user: security.userSid(), workspace: workspaceSid(path), agents: security.groupSid(agentsGroup) ?? null }
}

/** Throws `host_unsupported` for a path that has no one meaning or leads through a link. */
export function canonical(path: string, security: FileSecurity, remedy = stateRemedy): string {
  const answer = resolvePath(path, (one) => security.finalPath(one))
  if ('path' in answer) return answer.path
  throw unusable(path, answer.fault, remedy)
}

/**
 * A filesystem that keeps no lists, or keeps them in another form, would leave everything open without a word. The kernel may add what it
 * likes to ours (it does not); what was asked for must be there.
 */
function requireTaken(path: string, descriptor: string, security: FileSecurity): void {
  const wanted = parseList(descriptor.replace(/S:.*$/s, ''))
  const list = parseList(security.read(path, 'access')?.sddl ?? '')
  const found = list?.entries.map(parseEntry) ?? []
  const taken =
    list?.flags.includes('P') === true &&
    found.length === wanted?.entries.length &&
    wanted.entries.map(parseEntry).every((entry, index) => {
      const other = found[index]
      return (
        entry !== undefined &&
        other !== undefined &&
        entry.kind === other.kind &&
        entry.mask === other.mask &&
        sameSid(entry.sid, other.sid) &&
        entry.flags.toSorted().join('') === other.flags.toSorted().join('')
      )
    })
  if (!taken) throw unusable(path, 'does not keep the access list that it was given')
}

const stateRemedy = 'Keep Bulkhead’s state on a local drive with NTFS, without links on the way (BULKHEAD_STATE).'

function unusable(path: string, fault: string, remedy = stateRemedy): BulkheadError {
  return new BulkheadError('host_unsupported', `${path} ${fault}`, { where: path, operation: 'prepare', remedy })
}
