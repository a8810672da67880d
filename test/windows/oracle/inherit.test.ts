import { describe, expect, test } from 'vitest'
import { inherit, merge } from './inherit.ts'
import { inheritCases } from './inherit-cases.ts'
import { parseSddl, printSddl } from './sddl.ts'

describe('inheritance', () => {
  test.each(inheritCases)('$id: $why', ({ parent, kind, owner, own, child }) => {
    const above = parseSddl(parent)
    const made = own === undefined ? inherit(above, kind, owner) : merge({ ...parseSddl(own), owner }, above, kind)
    expect(printSddl(made)).toBe(child)
  })
})

describe('SDDL', () => {
  test.each([
    ['names', 'O:SYG:BAD:PAI(A;OICI;FA;;;SY)(D;;CCDC;;;WD)', 'O:S-1-5-18G:S-1-5-32-544D:PAI(A;OICI;0x1f01ff;;;S-1-5-18)(D;;0x3;;;S-1-1-0)'],
    ['numbers', 'D:(A;;0x1301bf;;;S-1-5-21-1-2-3-4)', 'D:(A;;0x1301bf;;;S-1-5-21-1-2-3-4)'],
    ['a label', 'S:(ML;OICI;NWNR;;;LW)', 'S:(ML;OICI;0x3;;;S-1-16-4096)'],
    ['a NULL DACL', 'D:NO_ACCESS_CONTROL', 'D:NO_ACCESS_CONTROL'],
    ['an empty DACL', 'D:P', 'D:P'],
    ['an owner only', 'O:OW', 'O:S-1-3-4'],
  ])('reads and prints %s', (_, text, printed) => {
    expect(printSddl(parseSddl(text))).toBe(printed)
    expect(printSddl(parseSddl(printed))).toBe(printed)
  })

  test.each([
    'D:(A;;FA;;;XX)',
    'D:(A;;QQ;;;WD)',
    'D:(A;ZZ;FA;;;WD)',
    'D:(OA;;FA;;;WD)',
    'D:(A;;FA;;WD)',
    'D:(A;;FA;guid;;WD)',
    'D:Q(A;;FA;;;WD)',
    'O:S-1-5-x',
    'O:S-1-5-21-4294967296',
    'S:(ML;;NW;;;WD)',
  ])('refuses %s', (text) => {
    expect(() => parseSddl(text)).toThrow(/^(?:unknown|not a)/)
  })
})
