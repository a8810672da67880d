import { BulkheadError } from '../../core/contracts/index.ts'
import type { FilesystemPolicy } from '../../core/contracts/index.ts'
import { canonicalPath, isInside, samePath } from '../../native/index.ts'
import type { Places } from './places.ts'

type Paths = Pick<FilesystemPolicy, 'read' | 'write'>

/** What can be said of a policy without looking at the machine. Throws `config_invalid`. */
export function checkPolicyPaths(policy: Paths, home: string): void {
  each(policy, (path) => {
    const answer = canonicalPath(path)
    if ('fault' in answer) return answer.fault
    if (answer.path !== path) return `has another spelling, ${answer.path}`
    if (path.length === 3) return 'is a whole drive'
    return isInside(home, path) ? 'holds the whole home directory' : undefined
  })
}

/** What depends on where things are. Throws `config_invalid`. */
export function checkProtected(policy: Paths, places: Places): void {
  each(policy, (path, list) => {
    const state = stateFault(path, places)
    if (state !== undefined) return state
    if (list === 'read') return undefined
    if (isInside(places.configuration, path) || isInside(path, places.configuration)) return 'holds the policy itself'
    const system = [...places.system, ...places.shared.filter((one) => one.length > 3)].find(
      (one) => isInside(path, one) || isInside(one, path),
    )
    return system === undefined ? undefined : `is part of the system (${system})`
  })
}

/** The workspace is open with everything in it. Throws `config_invalid`. */
export function checkWorkspace(path: string, places: Places): void {
  const held = [
    { directory: places.home, what: 'the home directory' },
    { directory: places.state, what: 'the state of Bulkhead' },
    { directory: places.configuration, what: 'the policy of Bulkhead' },
    ...places.system.map((directory) => ({ directory, what: 'the system' })),
  ].find(({ directory }) => isInside(directory, path))
  const fault =
    path.length === 3 || places.system.some((directory) => isInside(path, directory))
      ? 'is no place for one'
      : held && `holds ${held.what}, and an agent gets to all of its workspace`
  if (fault === undefined) return
  throw new BulkheadError('config_invalid', `workspace "${path}" ${fault}`, { remedy: 'Choose a directory of one project.' })
}

/** Of the state directory only what is made for one run is ever opened; not the journals, and not another job’s workspace. */
function stateFault(path: string, { state, local }: Places): string | undefined {
  for (const directory of [state, local]) if (isInside(directory, path)) return 'holds the state of Bulkhead'
  const inner = [state, local].find((directory) => isInside(path, directory))
  if (inner === undefined) return undefined
  const [, kind = '', run] = path.slice(inner.length + 1).split('\\')
  return samePath(kind, 'scratch') && run !== undefined ? undefined : 'is state of Bulkhead'
}

function each(policy: Paths, faultOf: (path: string, list: 'read' | 'write') => string | undefined): void {
  for (const list of ['read', 'write'] as const) {
    for (const path of policy[list]) {
      const fault = faultOf(path, list)
      if (fault === undefined) continue
      throw new BulkheadError('config_invalid', `filesystem.${list}: "${path}" ${fault}`, {
        remedy: 'Name the files or directories inside it that agents need.',
        where: path,
      })
    }
  }
}
