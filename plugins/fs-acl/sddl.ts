/**
 * Access lists in the text form of the Security Descriptor Definition Language. What is not ours is kept letter by letter, whether it is
 * understood or not.
 */
export interface AccessList {
  /** `P`, `AI`, `AR` in any order. */
  readonly flags: string
  /** Entries with their parentheses, in order. */
  readonly entries: readonly string[]
}

/** One simple entry. `mask` are file access rights (winnt.h). */
export interface Entry {
  readonly kind: 'allow' | 'deny'
  /** `OI`, `CI`, `IO`, `NP`, `ID`. */
  readonly flags: readonly string[]
  readonly mask: number
  /** `S-1-...` or an alias of two letters. */
  readonly sid: string
}

/** Undefined: it is no list, or one without entries that lets everybody do everything (`D:NO_ACCESS_CONTROL`). */
export function parseList(sddl: string): AccessList | undefined {
  const [, flags, rest] = /^D:((?:P|AI|AR)*)((?:\(.*)?)$/s.exec(sddl) ?? []
  if (flags === undefined || rest === undefined) return undefined
  const entries = splitEntries(rest)
  return entries === undefined ? undefined : { flags, entries }
}

export function printList({ flags, entries }: AccessList): string {
  return `D:${flags}${entries.join('')}`
}

/** Conditions hold parentheses of their own, and texts in quotes. */
function splitEntries(text: string): readonly string[] | undefined {
  const entries: string[] = []
  let [depth, start, quoted] = [0, 0, false]
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') quoted = !quoted
    if (quoted) continue
    if (character === '(' && depth++ === 0) start = index
    else if (character === ')' && --depth === 0) entries.push(text.slice(start, index + 1))
    if (depth < 0 || (depth === 0 && character !== ')')) return undefined
  }
  return depth === 0 && !quoted ? entries : undefined
}

export function printEntry({ kind, flags, mask, sid }: Entry): string {
  return `(${kind === 'allow' ? 'A' : 'D'};${flags.join('')};0x${mask.toString(16)};;;${sid})`
}

/** Undefined for an entry of another kind: with a condition, for an object, for auditing. */
export function parseEntry(text: string): Entry | undefined {
  const [, type, flagText = '', maskText = '', sid = ''] = /^\(([AD]);([A-Z]*);([^;()]*);;;([^;()]+)\)$/.exec(text) ?? []
  const flags = flagText.match(/../g) ?? []
  const mask = parseMask(maskText)
  if (type === undefined || mask === undefined || flags.join('') !== flagText) return undefined
  return { kind: type === 'A' ? 'allow' : 'deny', flags, mask, sid }
}

/** Access right names for files (“ACE Strings”); generic ones mean what they are mapped to for files. */
const rights: Readonly<Record<string, number>> = {
  GA: 0x1f01ff,
  GR: 0x120089,
  GW: 0x120116,
  GX: 0x1200a0,
  FA: 0x1f01ff,
  FR: 0x120089,
  FW: 0x120116,
  FX: 0x1200a0,
  SD: 0x10000,
  RC: 0x20000,
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
}

function parseMask(text: string): number | undefined {
  if (/^0x[0-9a-fA-F]{1,8}$/.test(text)) return generic(Number.parseInt(text, 16))
  const names = text.match(/../g) ?? []
  if (names.join('') !== text || names.some((name) => rights[name] === undefined)) return undefined
  return names.reduce((sum, name) => sum | (rights[name] ?? 0), 0)
}

/** GENERIC_READ and so on in the upper bits. */
function generic(mask: number): number {
  const mapped = [
    [0x80000000, 'GR'],
    [0x40000000, 'GW'],
    [0x20000000, 'GX'],
    [0x10000000, 'GA'],
  ] as const
  return mapped.reduce((sum, [bit, name]) => ((mask & bit) === 0 ? sum : sum | (rights[name] ?? 0)), mask & 0x0fffffff)
}

const aliases: Readonly<Record<string, string>> = {
  WD: 'S-1-1-0',
  CO: 'S-1-3-0',
  OW: 'S-1-3-4',
  AU: 'S-1-5-11',
  RC: 'S-1-5-12',
  SY: 'S-1-5-18',
  BA: 'S-1-5-32-544',
  BU: 'S-1-5-32-545',
}

/** Aliases for accounts of a domain or of this machine: the last number of the SID (“SID Strings”). */
const relative: Readonly<Record<string, string>> = { LA: '500', LG: '501', DA: '512', DU: '513', DG: '514', DC: '515' }

export function sameSid(one: string, other: string): boolean {
  const [left, right] = [aliases[one] ?? one, aliases[other] ?? other]
  return left === right || isRelative(left, right) || isRelative(right, left)
}

function isRelative(alias: string, sid: string): boolean {
  const number = relative[alias]
  return number !== undefined && /^S-1-5-21-\d+-\d+-\d+-\d+$/.test(sid) && sid.endsWith(`-${number}`)
}

/**
 * Adds entries where they belong in canonical order (“Order of ACEs in a DACL”): explicit before inherited ones, and in each half what denies
 * before what allows. An entry that is there already is added once more: whoever added it will take away their own.
 */
export function addEntries(list: AccessList, added: readonly Entry[]): AccessList {
  const firstInherited = list.entries.findIndex((text) => /^\([A-Z]+;(?:[A-Z]{2})*ID/.test(text))
  const split = firstInherited < 0 ? list.entries.length : firstInherited
  const own = { explicit: list.entries.slice(0, split), inherited: list.entries.slice(split) }
  const of = (isInherited: boolean, kind: Entry['kind']): readonly string[] =>
    added.filter((entry) => entry.flags.includes('ID') === isInherited && entry.kind === kind).map(printEntry)
  return {
    flags: list.flags,
    entries: [...of(false, 'deny'), ...own.explicit, ...of(false, 'allow'), ...of(true, 'deny'), ...own.inherited, ...of(true, 'allow')],
  }
}

/**
 * Takes away one entry for each of `removed`, wherever it stands; how it came to be there (the inherited flag) does not matter. What is not
 * there is not missed.
 */
export function removeEntries(list: AccessList, removed: readonly Entry[]): AccessList {
  const entries = [...list.entries]
  for (const entry of removed) {
    const index = entries.findIndex((text) => {
      const found = parseEntry(text)
      return found !== undefined && isSame(found, entry)
    })
    if (index >= 0) entries.splice(index, 1)
  }
  return { flags: list.flags, entries }
}

function isSame(one: Entry, other: Entry): boolean {
  const kept = (entry: Entry): string => [...new Set(entry.flags)].filter((flag) => flag !== 'ID').toSorted().join('') // prettier-ignore
  return one.kind === other.kind && one.mask === other.mask && sameSid(one.sid, other.sid) && kept(one) === kept(other)
}

/** True when entries that apply to the object itself allow `sid` all of `mask`, and none of them denies it any. */
export function allows(list: AccessList, sid: string, mask: number): boolean {
  let left = mask
  for (const text of list.entries) {
    const entry = parseEntry(text)
    if (entry === undefined || entry.flags.includes('IO') || !sameSid(entry.sid, sid)) continue
    if (entry.kind === 'deny' && (entry.mask & left) !== 0) return false
    if (entry.kind === 'allow') left &= ~entry.mask
  }
  return left === 0
}
