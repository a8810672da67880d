/**
 * The access check as documented: [MS-DTYP] 2.5.3.2, "How AccessCheck Works", "Restricted Tokens", "Mandatory Integrity Control", "Owner Rights".
 * `test/windows/double/kernel/check.c` is the same in C, and both are run over one table.
 *
 * Two points are not written down by Microsoft and not verified on Windows: which rights count as writing for a write-restricted token (here:
 * those that neither generic reading nor executing includes), and that a request with one of them is checked twice as a whole.
 */
import { aceFlags, type SecurityDescriptor } from './sddl.ts'
import { ownerRights, type Sid } from './sid.ts'
import { integrity, privilege, type Token } from './token.ts'

/** GENERIC_MAPPING. */
export interface Mapping {
  readonly read: number
  readonly write: number
  readonly execute: number
  readonly all: number
}

export const mappings = {
  file: { read: 0x120089, write: 0x120116, execute: 0x1200a0, all: 0x1f01ff },
  process: { read: 0x20410, write: 0x20bea, execute: 0x121001, all: 0x1fffff },
  thread: { read: 0x20048, write: 0x20037, execute: 0x120800, all: 0x1fffff },
  token: { read: 0x2001a, write: 0x201e0, execute: 0x20005, all: 0xf01ff },
  wfp: { read: 0x20000, write: 0x20000, execute: 0x20001, all: 0xf0001 },
} as const satisfies Record<string, Mapping>

export type MappingName = keyof typeof mappings

export const right = {
  maximumAllowed: 0x2000000,
  systemSecurity: 0x1000000,
  delete: 0x10000,
  readControl: 0x20000,
  writeDac: 0x40000,
  writeOwner: 0x80000,
  synchronize: 0x100000,
  listDirectory: 0x1,
  deleteChild: 0x40,
  readAttributes: 0x80,
} as const

export interface Verdict {
  readonly status: 'granted' | 'denied' | 'privilege-not-held'
  /** Rights that the handle would have; 0 unless granted. */
  readonly granted: number
}

const generic = { read: 0x80000000, write: 0x40000000, execute: 0x20000000, all: 0x10000000 }
const everything = 0xffffffff

/** MapGenericMask. */
export function mapGeneric(mask: number, map: Mapping): number {
  let mapped = mask & ~(generic.read | generic.write | generic.execute | generic.all)
  for (const kind of ['read', 'write', 'execute', 'all'] as const) if ((mask & generic[kind]) !== 0) mapped |= map[kind]
  return mapped >>> 0
}

/** What a write-restricted token is checked twice for. */
export const writeRights = (map: Mapping): number => (map.all & ~(map.read | map.execute)) >>> 0

/** What the mandatory label lets the token ask for. */
function mandatory(sd: SecurityDescriptor, token: Token, map: Mapping): number {
  const applies = sd.label !== undefined && (sd.label.flags & aceFlags.inheritOnly) === 0
  const { rid, policy } = applies && sd.label !== undefined ? sd.label : { rid: integrity.medium, policy: 1 }
  if (token.integrity >= rid) return everything
  let allowed = 0
  if ((policy & 2) === 0) allowed |= map.read
  if ((policy & 1) === 0) allowed |= map.write
  if ((policy & 4) === 0) allowed |= map.execute
  if (token.privileges.includes(privilege.relabel)) allowed |= right.writeOwner
  return allowed >>> 0
}

type Matches = (sid: Sid, forDeny: boolean) => boolean

function ordinary(token: Token): Matches {
  return (sid, forDeny) => {
    if (sid === token.user) return forDeny || !token.userDenyOnly
    const group = token.groups.find((candidate) => candidate.sid === sid)
    return group !== undefined && (group.state === 'enabled' || (group.state === 'deny-only' && forDeny))
  }
}

function restricted(token: Token): Matches {
  return (sid) => token.restricting.includes(sid)
}

/** Everything one pass over the DACL grants: an entry decides a right only if none before it did. */
function pass(sd: SecurityDescriptor, matches: Matches, map: Mapping): number {
  if (sd.dacl === undefined || sd.dacl === null) return everything
  const effective = sd.dacl.filter(({ flags }) => (flags & aceFlags.inheritOnly) === 0)
  const ownerIsLimited = effective.some(({ sid }) => sid === ownerRights)
  let granted = 0
  let denied = 0
  if (!ownerIsLimited && sd.owner !== undefined && matches(sd.owner, false)) granted |= right.readControl | right.writeDac
  for (const ace of effective) {
    const sid = ace.sid === ownerRights ? sd.owner : ace.sid
    if (sid === undefined || !matches(sid, ace.type === 'deny')) continue
    const mask = mapGeneric(ace.mask, map)
    if (ace.type === 'deny') denied |= mask & ~granted
    else granted |= mask & ~denied
  }
  return granted >>> 0
}

export function accessCheck(sd: SecurityDescriptor, token: Token, wanted: number, map: Mapping): Verdict {
  const maximum = (wanted & right.maximumAllowed) !== 0
  const desired = mapGeneric(wanted & ~right.maximumAllowed, map)
  let byPrivilege = 0
  if ((desired & right.systemSecurity) !== 0) {
    if (!token.privileges.includes(privilege.security)) return { status: 'privilege-not-held', granted: 0 }
    byPrivilege |= right.systemSecurity
  }
  if (token.privileges.includes(privilege.takeOwnership)) byPrivilege |= right.writeOwner
  let have = pass(sd, ordinary(token), map)
  if (token.restricting.length > 0) {
    const twice = token.writeRestricted ? writeRights(map) : everything
    const second = pass(sd, restricted(token), map)
    // One right to write makes a request be checked twice as a whole; a question for the maximum is answered right by right.
    have &= !maximum && (desired & twice) !== 0 ? second : second | ~twice
  }
  have = (have | byPrivilege) & (mandatory(sd, token, map) | right.systemSecurity)
  if ((desired & ~have) !== 0) return { status: 'denied', granted: 0 }
  const granted = (maximum ? desired | (have & map.all) : desired) >>> 0
  return granted === 0 ? { status: 'denied', granted: 0 } : { status: 'granted', granted }
}

/**
 * NTFS ("File Security and Access Rights"): whoever may list a directory may read its entries' attributes, whoever may delete children may
 * delete them, whatever their own descriptors say.
 */
export function fileCheck(sd: SecurityDescriptor, parent: SecurityDescriptor, token: Token, wanted: number): Verdict {
  const map = mappings.file
  const maximum = (wanted & right.maximumAllowed) !== 0
  const may = (mask: number): boolean => accessCheck(parent, token, mask, map).status === 'granted'
  const more = (may(right.listDirectory) ? right.readAttributes | right.synchronize : 0) | (may(right.deleteChild) ? right.delete : 0)
  const desired = mapGeneric(wanted, map)
  const left = desired & ~more
  if ((left & ~right.synchronize) === 0) return { status: 'granted', granted: desired }
  const verdict = accessCheck(sd, token, left, map)
  const onlyTheMaximum = (left & ~(right.maximumAllowed | right.synchronize)) === 0
  if (verdict.status !== 'granted' && !(maximum && more !== 0 && onlyTheMaximum)) return verdict
  return { status: 'granted', granted: (verdict.granted | (maximum ? more & map.all : desired & more)) >>> 0 }
}
