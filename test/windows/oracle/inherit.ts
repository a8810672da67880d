/** How a new object gets its descriptor, as documented under "ACE Inheritance Rules". `double/kernel/acl.c` is the same in C. */
import { mapGeneric, mappings } from './access-check.ts'
import { type Ace, aceFlags, type Label, type SecurityDescriptor } from './sddl.ts'
import { creatorGroup, creatorOwner, type Sid } from './sid.ts'

export type Kind = 'file' | 'directory'

const inheritBits = aceFlags.objectInherit | aceFlags.containerInherit

/** Flags with which an entry goes on from a child to what is below it. */
function onward(flags: number, kind: Kind): number {
  return kind === 'directory' && (flags & aceFlags.noPropagate) === 0 ? flags & inheritBits : 0
}

const concerns = (flags: number, kind: Kind): boolean =>
  (flags & (kind === 'directory' ? aceFlags.containerInherit : aceFlags.objectInherit)) !== 0

function inheritAce(ace: Ace, kind: Kind, owner: Sid, group: Sid | undefined): Ace[] {
  const further = onward(ace.flags, kind)
  const passedOn: Ace = { ...ace, flags: further | aceFlags.inheritOnly | aceFlags.inherited }
  if (!concerns(ace.flags, kind)) return further === 0 ? [] : [passedOn]
  const sid = ace.sid === creatorOwner ? owner : ace.sid === creatorGroup ? (group ?? ace.sid) : ace.sid
  const mask = mapGeneric(ace.mask, mappings.file)
  // What had to be made concrete here must stay general further down.
  const split = further !== 0 && (mask !== ace.mask || sid !== ace.sid)
  const effective: Ace = { type: ace.type, sid, mask, flags: (split ? 0 : further) | aceFlags.inherited }
  return split ? [effective, passedOn] : [effective]
}

function inheritLabel(label: Label | undefined, kind: Kind): Label | undefined {
  if (label === undefined) return undefined
  const further = onward(label.flags, kind)
  const effective = concerns(label.flags, kind)
  if (!effective && further === 0) return undefined
  return { ...label, flags: further | aceFlags.inherited | (effective ? 0 : aceFlags.inheritOnly) }
}

/** The descriptor of a new child that was given none. */
export function inherit(parent: SecurityDescriptor, kind: Kind, owner: Sid, group?: Sid): SecurityDescriptor {
  const label = inheritLabel(parent.label, kind)
  return {
    owner,
    ...(group !== undefined && { group }),
    dacl: (parent.dacl ?? []).flatMap((ace) => inheritAce(ace, kind, owner, group)),
    protected: false,
    autoInherited: true,
    ...(label !== undefined && { label }),
  }
}

/** The descriptor of a child that has one: its explicit entries first, then what it inherits unless it is protected. */
export function merge(own: SecurityDescriptor & { readonly owner: Sid }, parent: SecurityDescriptor, kind: Kind): SecurityDescriptor {
  const inherited = inherit(parent, kind, own.owner, own.group)
  const label = own.label ?? inherited.label
  const withLabel = { ...own, ...(label !== undefined && { label }) }
  if (own.protected || own.dacl === null) return withLabel
  const explicit = (own.dacl ?? []).filter(({ flags }) => (flags & aceFlags.inherited) === 0)
  return { ...withLabel, dacl: [...explicit, ...(inherited.dacl ?? [])], autoInherited: true }
}
