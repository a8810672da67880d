import { randomBytes } from 'node:crypto'
import { BulkheadError } from '../../core/contracts/index.ts'
import { isInside } from '../../native/index.ts'
import type { SecuredObject } from '../../native/index.ts'
import { denyEntries, forAgents, modifyEntries, passEntries, readEntries } from './descriptors.ts'
import type { Principals } from './descriptors.ts'
import type { Denied } from './deny-find.ts'
import type { Disk } from './disk.ts'
import { listOf } from './edit.ts'
import type { Effects } from './effects.ts'
import type { AclOptions } from './options.ts'
import { above, distinct, leasesFolder, lockFile } from './places.ts'
import type { Places } from './places.ts'
import { canonical } from './prepare.ts'
import type { ChangedObject } from './receipts.ts'
import { right } from './rights.ts'
import { allows, parseList } from './sddl.ts'
import type { Entry } from './sddl.ts'
import { users } from './sid.ts'
import { readable, readableByAll } from './toolchains.ts'
import { hasMoreThan } from './walk.ts'

/** What opening and closing something needs to know. */
export interface Opening {
  readonly disk: Disk
  readonly effects: Effects
  readonly who: Principals
  readonly places: Places
  readonly options: AclOptions
  readonly signal: AbortSignal
}

/** Opens a file or directory that was there before, with everything in it. Returns what was opened; undefined when there is nothing. */
export async function openExisting(opening: Opening, path: string, access: 'read' | 'write'): Promise<string | undefined> {
  const { disk, effects, who, places, options, signal } = opening
  const place = canonical(path, disk.security, 'Name the place itself, on a local drive with NTFS.')
  const found = disk.security.read(place, 'access')
  if (found === undefined) return undefined
  if (found.link) throw refusal(place, 'is a link', 'Name the place that it leads to.')
  if (access === 'read' && readableByAll(disk, place)) return place
  if (await isTooMuch(opening, place, found)) {
    throw refusal(place, `holds more than ${options.entries} files, each of which would have to be opened to the agent`, tooMuchRemedy)
  }
  const before = { path: place, identity: found.identity, before: found.sddl }
  if (!found.directory) {
    const mask = access === 'read' || found.names > 1 ? right.read : right.modify
    await effects.addEntries([{ ...before, added: forAgents(who, { kind: 'allow', flags: [], mask }) }], lockFile(places))
  } else {
    const added = access === 'read' ? readEntries(who) : modifyEntries(who)
    const shared = inherited(readEntries(who))
    const content = access === 'read' ? shared : inherited(modifyEntries(who).filter(({ flags }) => flags.length > 0))
    await effects.addTree({ root: { ...before, added }, content, shared, everywhere: false, lock: lockFile(places) })
  }
  if (access === 'write' && options.label === 'low') {
    const holder = randomBytes(16).toString('hex')
    await effects.lowerLabel({ path: place, identity: found.identity, leases: leasesFolder(places), holder, lock: lockFile(places) })
  }
  signal.throwIfAborted()
  return place
}

/** True when there is more in it than is opened one by one. */
export async function isTooMuch({ disk, options, signal }: Opening, path: string, found: SecuredObject): Promise<boolean> {
  return found.directory && hasMoreThan(disk, path, options.entries, signal)
}

/** Closes what exists with everything in it: to any use, or to changes. */
export async function closeExisting(opening: Opening, { path, directory }: Denied, against: 'use' | 'change'): Promise<void> {
  const { disk, effects, who, places, options } = opening
  const found = disk.security.read(path, 'access')
  if (found === undefined) return
  if (await isTooMuch(opening, path, found)) {
    throw refusal(path, `holds more than ${options.entries} files, each of which would have to be closed to the agent`, tooMuchRemedy)
  }
  const added = denyEntries(who, against === 'use' ? right.all : right.change, directory)
  const object = { path, identity: found.identity, before: found.sddl, added }
  if (!directory) return effects.addEntries([object], lockFile(places))
  await effects.addTree({ root: object, content: added, shared: added, everywhere: true, lock: lockFile(places) })
}

/**
 * Lets the directories on the way to `targets` be looked up: programs ask for the attributes of every directory above a file (`realpath`).
 * Nothing is done where every user may do so anyway, nor where the user may not change the list, for nothing rests on it.
 */
export async function openTheWay({ disk, effects, who, places }: Opening, targets: readonly string[]): Promise<void> {
  const directories = distinct(targets.flatMap(above)).filter((path) => !targets.some((target) => isInside(path, target)))
  const objects = directories.flatMap((path): readonly ChangedObject[] => {
    const found = readable(disk, path)
    if (found === undefined || canBeLookedUp(disk, path, found, who)) return []
    listOf(path, found)
    return [{ path, identity: found.identity, before: found.sddl, added: passEntries(who) }]
  })
  await effects.addEntries(objects, lockFile(places), { optional: true })
}

/** NTFS: whoever may list a directory may see the attributes of what is in it (“File Security and Access Rights”). */
function canBeLookedUp(disk: Disk, path: string, found: SecuredObject, { workspace }: Principals): boolean {
  const parent = above(path).at(-1)
  return (
    may(found.sddl, users, right.readAttributes) ||
    may(found.sddl, workspace, right.pass) ||
    (parent !== undefined && may(readable(disk, parent)?.sddl, users, right.list))
  )
}

function may(sddl: string | undefined, sid: string, mask: number): boolean {
  const list = parseList(sddl ?? '')
  return list !== undefined && allows(list, sid, mask)
}

function inherited(entries: readonly Entry[]): readonly Entry[] {
  return entries.map((entry) => ({ ...entry, flags: [...entry.flags.filter((flag) => flag !== 'IO'), 'ID'] }))
}

const tooMuchRemedy = 'Name a smaller directory, or raise the option "entries" of the filesystem layer.'

function refusal(path: string, fault: string, remedy: string): BulkheadError {
  return new BulkheadError('config_invalid', `"${path}" ${fault}`, { where: path, operation: 'grant', remedy })
}
