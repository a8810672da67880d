import { normalize } from 'node:path'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { FilesystemPolicy } from '../../core/contracts/index.ts'
import { neverShown, reservedRoots } from './constants.ts'
import { isInside, isSameOrInside, isSameOrInsideAny } from './paths.ts'

/** Directories of the host that Bulkhead itself rests on. */
export interface Protected {
  readonly home: string
  /** Where Bulkhead keeps journals and workspaces of all repositories. */
  readonly state: string
  /** The user's own policy file stands here. */
  readonly configuration: string
}

/** What can be said of the policy's paths without looking at them. Throws `config_invalid`. */
export function checkPolicyPaths(policy: Pick<FilesystemPolicy, 'read' | 'write'>, home: string): void {
  for (const path of policy.read) {
    const fault = shapeFault(path) ?? readFault(path, home)
    if (fault !== undefined) throw refusal('read', path, fault)
  }
  for (const path of policy.write) {
    const fault = shapeFault(path) ?? readFault(path, home) ?? writeFault(path)
    if (fault !== undefined) throw refusal('write', path, fault)
  }
}

/** What depends on where Bulkhead keeps its things. Throws `config_invalid`. */
export function checkProtected(policy: Pick<FilesystemPolicy, 'read' | 'write'>, places: Protected): void {
  for (const path of [...policy.read, ...policy.write]) {
    const fault = stateFault(path, places.state)
    if (fault !== undefined) throw refusal(policy.write.includes(path) ? 'write' : 'read', path, fault)
  }
  for (const path of policy.write) {
    if (isSameOrInside(places.configuration, path) || isSameOrInside(path, places.configuration)) {
      throw refusal('write', path, 'holds the policy itself')
    }
  }
}

/** The workspace is shown with everything in it. Throws `config_invalid`. */
export function checkWorkspace(path: string, places: Protected): void {
  const { home, state, configuration } = places
  const held = [
    { directory: home, what: 'the home directory' },
    { directory: state, what: 'the state of Bulkhead' },
    { directory: configuration, what: 'the policy of Bulkhead' },
  ].find(({ directory }) => isSameOrInside(directory, path))
  const fault =
    path === '/' || isSameOrInsideAny(path, ['/proc', '/sys', '/dev', '/etc', '/boot'])
      ? 'is no place for one'
      : held && `holds ${held.what}, and an agent sees all of its workspace`
  if (fault === undefined) return
  throw new BulkheadError('config_invalid', `workspace "${path}" ${fault}`, { remedy: 'Choose a directory of one project.' })
}

function shapeFault(path: string): string | undefined {
  return path.startsWith('/') && normalize(path) === path && (path === '/' || !path.endsWith('/')) && !path.includes('\0')
    ? undefined
    : 'is not an absolute path in its shortest form'
}

function readFault(path: string, home: string): string | undefined {
  if (path === '/') return 'is everything'
  if (isSameOrInside(home, path)) return 'holds the whole home directory'
  return isSameOrInsideAny(path, neverShown) ? 'belongs to the machine; agents have one of their own' : undefined
}

function writeFault(path: string): string | undefined {
  const system = reservedRoots.find((root) => isSameOrInside(path, root) || isInside(root, path))
  return system === undefined ? undefined : `is part of the system (${system})`
}

/** Of the state directory only what is made for one run is ever shown; not the journals, and not another job's workspace. */
function stateFault(path: string, state: string): string | undefined {
  if (isSameOrInside(state, path)) return 'holds the state of Bulkhead'
  if (!isInside(path, state)) return undefined
  const [, kind, run] = path.slice(state.length + 1).split('/')
  return kind === 'scratch' && run !== undefined ? undefined : 'is state of Bulkhead'
}

function refusal(list: 'read' | 'write', path: string, fault: string): BulkheadError {
  return new BulkheadError('config_invalid', `filesystem.${list}: "${path}" ${fault}`, {
    remedy: 'Name the files or directories inside it that agents need.',
    where: path,
  })
}
