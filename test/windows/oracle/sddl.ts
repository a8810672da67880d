import { parseSid, type Sid } from './sid.ts'

export interface Ace {
  readonly type: 'allow' | 'deny'
  /** `aceFlags` bits. */
  readonly flags: number
  readonly mask: number
  readonly sid: Sid
}

/** Mandatory integrity label. */
export interface Label {
  /** 4096 low, 8192 medium, 12288 high. */
  readonly rid: number
  /** 1 no write up, 2 no read up, 4 no execute up. */
  readonly policy: number
  readonly flags: number
}

export interface SecurityDescriptor {
  readonly owner?: Sid
  readonly group?: Sid
  /** `null`: a NULL DACL, which grants everything. `undefined`: no DACL, which grants everything too. */
  readonly dacl?: readonly Ace[] | null
  readonly protected: boolean
  readonly autoInherited: boolean
  readonly label?: Label
}

export const aceFlags = { objectInherit: 1, containerInherit: 2, noPropagate: 4, inheritOnly: 8, inherited: 16 } as const

/** In the order in which they are printed. */
const flagNames: readonly (readonly [string, number])[] = [
  ['OI', aceFlags.objectInherit],
  ['CI', aceFlags.containerInherit],
  ['NP', aceFlags.noPropagate],
  ['IO', aceFlags.inheritOnly],
  ['ID', aceFlags.inherited],
]

/** "ACE Strings": rights. */
const rights: Readonly<Record<string, number>> = {
  GA: 0x10000000,
  GR: 0x80000000,
  GW: 0x40000000,
  GX: 0x20000000,
  RC: 0x20000,
  SD: 0x10000,
  WD: 0x40000,
  WO: 0x80000,
  CC: 0x1,
  DC: 0x2,
  LC: 0x4,
  SW: 0x8,
  RP: 0x10,
  WP: 0x20,
  DT: 0x40,
  LO: 0x80,
  CR: 0x100,
  FA: 0x1f01ff,
  FR: 0x120089,
  FW: 0x120116,
  FX: 0x1200a0,
  KA: 0xf003f,
  KR: 0x20019,
  KW: 0x20006,
  KX: 0x20019,
}

const labelPolicies: Readonly<Record<string, number>> = { NW: 1, NR: 2, NX: 4 }

function union(text: string, known: Readonly<Record<string, number>>, what: string): number {
  let value = 0
  for (let at = 0; at < text.length; at += 2) {
    const bit = known[text.slice(at, at + 2)]
    if (bit === undefined) throw new Error(`unknown ${what}: ${text}`)
    value |= bit
  }
  return value >>> 0
}

function parseMask(text: string, known: Readonly<Record<string, number>>): number {
  if (/^(?:0x[\da-f]+|\d+)$/i.test(text)) return Number(text) >>> 0
  return union(text, known, 'right')
}

function parseAce(text: string): Ace | Label {
  const fields = text.split(';')
  const [type, flagText, maskText, object, inheritObject, sidText] = fields
  if (fields.length !== 6 || object !== '' || inheritObject !== '') throw new Error(`not an ACE: ${text}`)
  const flags = union(flagText ?? '', Object.fromEntries(flagNames), 'flag')
  const sid = parseSid(sidText ?? '')
  if (type === 'ML') {
    if (!/^S-1-16-\d+$/.test(sid)) throw new Error(`not a label: ${text}`)
    return { rid: Number(sid.slice('S-1-16-'.length)), policy: parseMask(maskText ?? '', labelPolicies), flags }
  }
  if (type !== 'A' && type !== 'D') throw new Error(`unknown kind of ACE: ${text}`)
  return { type: type === 'A' ? 'allow' : 'deny', flags, mask: parseMask(maskText ?? '', rights), sid }
}

/** Owner, group, DACL and mandatory label. Throws on what it does not know. */
export function parseSddl(text: string): SecurityDescriptor {
  const sections = new Map<string, string>()
  // A section starts with a letter and a colon outside of parentheses; SIDs and ACEs hold neither.
  for (const part of text.split(/(?=[OGDS]:)/)) {
    if (part === '') continue
    sections.set(part.slice(0, 1), part.slice(2))
  }
  const owner = sections.get('O')
  const group = sections.get('G')
  const dacl = sections.get('D')
  const entries = (section: string): (Ace | Label)[] => [...section.matchAll(/\(([^)]*)\)/g)].map((match) => parseAce(match[1] ?? ''))
  const flags = dacl?.replace(/\(.*$/s, '') ?? ''
  if (!/^(?:P|AI|AR|NO_ACCESS_CONTROL)*$/.test(flags)) throw new Error(`unknown flags of a DACL: ${flags}`)
  const label = entries(sections.get('S') ?? '').find((entry): entry is Label => 'rid' in entry)
  return {
    ...(owner !== undefined && { owner: parseSid(owner) }),
    ...(group !== undefined && { group: parseSid(group) }),
    ...(dacl !== undefined && {
      dacl: flags.includes('NO_ACCESS_CONTROL') ? null : entries(dacl).filter((entry): entry is Ace => 'sid' in entry),
    }),
    protected: flags.startsWith('P'),
    autoInherited: flags.includes('AI'),
    ...(label !== undefined && { label }),
  }
}

const flagText = (flags: number): string => flagNames.map(([name, bit]) => ((flags & bit) === 0 ? '' : name)).join('')

/** With numbers instead of names, so that equal descriptors have equal texts; the double prints the same. */
export function printSddl(sd: SecurityDescriptor): string {
  const parts = [sd.owner === undefined ? '' : `O:${sd.owner}`, sd.group === undefined ? '' : `G:${sd.group}`]
  if (sd.dacl !== undefined) {
    const control = `${sd.protected ? 'P' : ''}${sd.autoInherited ? 'AI' : ''}${sd.dacl === null ? 'NO_ACCESS_CONTROL' : ''}`
    const list = (sd.dacl ?? []).map(
      ({ type, flags, mask, sid }) => `(${type === 'allow' ? 'A' : 'D'};${flagText(flags)};0x${mask.toString(16)};;;${sid})`,
    )
    parts.push(`D:${control}${list.join('')}`)
  }
  if (sd.label !== undefined) parts.push(`S:(ML;${flagText(sd.label.flags)};0x${sd.label.policy.toString(16)};;;S-1-16-${sd.label.rid})`)
  return parts.join('')
}
