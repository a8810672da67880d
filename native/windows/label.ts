/** ACE_HEADER.AceFlags (winnt.h). */
const flags = [
  ['OI', 0x1],
  ['CI', 0x2],
  ['NP', 0x4],
  ['IO', 0x8],
  ['ID', 0x10],
] as const
/** SYSTEM_MANDATORY_LABEL_NO_WRITE_UP and so on (winnt.h). */
const policies = [
  ['NW', 0x1],
  ['NR', 0x2],
  ['NX', 0x4],
] as const
/** SECURITY_MANDATORY_*_RID (winnt.h), as SDDL names them. */
const levels = [
  ['LW', 0x1000],
  ['ME', 0x2000],
  ['MP', 0x2100],
  ['HI', 0x3000],
  ['SI', 0x4000],
] as const

/** `struct bh_label` of src/windows/library/object.h as SDDL (`S:(ML;OICI;NW;;;LW)`); empty text for none. */
export function printLabel(label: Buffer): string {
  const [present, flag, policy, level] = [0, 4, 8, 12].map((offset) => label.readUInt32LE(offset)) as [number, number, number, number]
  const sid = levels.find(([, rid]) => rid === level)?.[0] ?? `S-1-16-${level}`
  return present === 0 ? '' : `S:(ML;${namesOf(flags, flag)};${namesOf(policies, policy)};;;${sid})`
}

function namesOf(table: readonly (readonly [string, number])[], value: number): string {
  return table.flatMap(([name, bit]) => ((value & bit) === 0 ? [] : [name])).join('')
}

/** The reverse; `S:` and empty text are none. Throws TypeError for anything else. */
export function parseLabel(sddl: string): Buffer {
  const label = Buffer.alloc(16)
  if (sddl === '' || sddl === 'S:') return label
  const [, flagText, policyText, sid = ''] = /^S:(?:AI|AR|P)*\(ML;([A-Z]*);([A-Z]*);;;([A-Z]{2}|S-1-16-\d+)\)$/.exec(sddl) ?? []
  const level = levels.find(([name]) => name === sid)?.[1] ?? Number(/\d+$/.exec(sid)?.[0] ?? Number.NaN)
  const bits = [bitsOf(flags, flagText), bitsOf(policies, policyText)]
  if (!Number.isSafeInteger(level) || bits.includes(undefined)) throw new TypeError(`"${sddl}" is no mandatory label`)
  for (const [index, value] of [1, ...bits, level].entries()) label.writeUInt32LE(value ?? 0, index * 4)
  return label
}

function bitsOf(table: readonly (readonly [string, number])[], text: string | undefined): number | undefined {
  const known = (text?.match(/../g) ?? []).map((name) => table.find(([other]) => other === name)?.[1])
  if (text === undefined || text.length % 2 !== 0 || known.includes(undefined)) return undefined
  return known.reduce<number>((sum, bit) => sum | (bit ?? 0), 0)
}
