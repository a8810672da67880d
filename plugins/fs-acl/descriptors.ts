import { right } from './rights.ts'
import { printEntry } from './sddl.ts'
import type { Entry } from './sddl.ts'

/** Who is named in the lists of one workspace. SIDs. */
export interface Principals {
  /** Who runs Bulkhead. */
  readonly user: string
  /** `workspaceSid`. */
  readonly workspace: string
  /** The group of the accounts that agents run under; null where agents run as the user. */
  readonly agents: string | null
}

/** Mandatory labels that go to everything made inside: what is low may be changed by processes of low integrity. */
export type Label = 'low' | 'none'

const low = 'S:(ML;OICI;NW;;;LW)'
const medium = 'S:(ML;OICI;NW;;;ME)'

/** `allow` for the workspace's own SID and, because both checks of a restricted token must pass, for the group of the accounts. */
export function forAgents({ workspace, agents }: Principals, entry: Omit<Entry, 'sid'>): readonly Entry[] {
  return [workspace, ...(agents === null ? [] : [agents])].map((sid) => ({ ...entry, sid }))
}

/** The directory that holds a workspace: nothing in it is the agent’s unless it says so itself. */
export function outerDescriptor(who: Principals): string {
  return protectedList([...hostEntries(who), ...passEntries(who)])
}

/** The tree and the agent’s git directory. They cannot be moved or deleted themselves. */
export function grantedDescriptor(who: Principals, label: Label): string {
  return protectedList([...hostEntries(who), ...modifyEntries(who)]) + (label === 'low' ? low : '')
}

/** What lies in a granted directory and is not the agent’s. `readable`: it may look at it. */
export function closedDescriptor(who: Principals, { readable }: { readonly readable: boolean }): string {
  const read = readable ? forAgents(who, { kind: 'allow', flags: ['OI', 'CI'], mask: right.read }) : []
  return protectedList([...hostEntries(who), ...read]) + medium
}

/** May be changed with everything in it, but not be moved away itself. */
export function modifyEntries(who: Principals): readonly Entry[] {
  return [
    ...forAgents(who, { kind: 'allow', flags: [], mask: right.modifyInside }),
    ...forAgents(who, { kind: 'allow', flags: ['OI', 'CI', 'IO'], mask: right.modify }),
  ]
}

export function readEntries(who: Principals): readonly Entry[] {
  return forAgents(who, { kind: 'allow', flags: ['OI', 'CI'], mask: right.read })
}

/** On the way to something: its attributes can be seen, and nothing of what it holds. Not inherited. */
export function passEntries(who: Principals): readonly Entry[] {
  return forAgents(who, { kind: 'allow', flags: [], mask: right.pass })
}

export function denyEntries(who: Principals, mask: number, directory: boolean): readonly Entry[] {
  return forAgents(who, { kind: 'deny', flags: directory ? ['OI', 'CI'] : [], mask })
}

function hostEntries({ user }: Principals): readonly Entry[] {
  return [user, 'SY', 'BA'].map((sid) => ({ kind: 'allow', flags: ['OI', 'CI'], mask: right.all, sid }))
}

/** Protected: what lies above is not inherited. */
function protectedList(entries: readonly Entry[]): string {
  return `D:P${entries.map(printEntry).join('')}`
}
