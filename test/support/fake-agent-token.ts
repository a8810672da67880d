import type { Attempt, Outcome, Probe } from '../../core/contracts/index.ts'
import type { FakeWindowsDisk } from './fake-windows-disk.ts'

/** A restricted token as far as files are concerned. */
export interface FakeToken {
  /** SIDs of the normal check; those in `denyOnly` count for entries that deny. */
  readonly sids: readonly string[]
  readonly denyOnly: readonly string[]
  /** Null: not restricted. */
  readonly restricting: readonly string[] | null
  /** `writing`: the second check is for what changes something only (WRITE_RESTRICTED). */
  readonly restricts: 'everything' | 'writing'
  readonly low: boolean
}

const names: Readonly<Record<string, string>> = {
  SY: 'S-1-5-18',
  BA: 'S-1-5-32-544',
  BU: 'S-1-5-32-545',
  AU: 'S-1-5-11',
  WD: 'S-1-1-0',
}
const rights: Readonly<Record<string, number>> = { FA: 0x1f01ff, FR: 0x120089, FW: 0x120116, FX: 0x1200a0 }
const genericRead = 0x120089
const genericWrite = 0x120116
const addFile = 0x2

/**
 * Opens files of the fake disk as an agent with that token would, by the documented algorithm (“How DACLs Control Access to an Object”,
 * “Restricted Tokens”, “Mandatory Integrity Control”). The test bed has one of its own that this layer’s authors did not write.
 */
export function probeOf(disk: FakeWindowsDisk, token: FakeToken): Probe {
  return { attempt: async (attempts) => attempts.map((attempt) => tried(disk, token, attempt)) }
}

function tried(disk: FakeWindowsDisk, token: FakeToken, attempt: Attempt): Outcome {
  const answer = (error: string | null): Outcome => ({ ok: error === null, error, value: null })
  if (attempt.op !== 'read' && attempt.op !== 'write' && attempt.op !== 'create') return answer('EINVAL')
  const path = attempt.op === 'create' ? attempt.path.slice(0, attempt.path.lastIndexOf('\\')) || 'C:\\' : attempt.path
  const found = disk.security.read(path, 'access')
  if (found === undefined) return answer('ENOENT')
  const wanted = { read: genericRead, write: genericWrite, create: addFile }[attempt.op]
  const label = disk.security.read(path, 'label')?.sddl ?? ''
  return answer(mayOpen(found.sddl, label, token, wanted) ? null : 'EACCES')
}

function mayOpen(dacl: string, label: string, token: FakeToken, wanted: number): boolean {
  const writing = (wanted & 0xd0156) !== 0
  if (token.low && writing && !label.includes(';LW)')) return false
  if (!passes(dacl, wanted, token.sids, [...token.sids, ...token.denyOnly])) return false
  if (token.restricting === null || (token.restricts === 'writing' && !writing)) return true
  return passes(dacl, wanted, token.restricting, token.restricting)
}

function passes(dacl: string, wanted: number, allowing: readonly string[], denying: readonly string[]): boolean {
  let left = wanted
  for (const [, type, flags = '', mask = '', name = ''] of dacl.matchAll(/\(([AD]);([A-Z]*);([^;]*);;;([^)]*)\)/g)) {
    const sid = names[name] ?? name
    const value = rights[mask] ?? Number(mask)
    if (/^(?:..)*IO/.test(flags)) continue
    if (type === 'D' && denying.includes(sid) && (value & left) !== 0) return false
    if (type === 'A' && allowing.includes(sid)) left &= ~value
    if (left === 0) return true
  }
  return false
}
