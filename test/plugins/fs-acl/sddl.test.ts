import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addEntries, allows, parseEntry, parseList, printEntry, printList, removeEntries, sameSid } from '../../../plugins/fs-acl/sddl.ts'
import type { Entry } from '../../../plugins/fs-acl/sddl.ts'

const mine = 'S-1-5-21-11-22-33-44'
const allow = (flags: readonly string[], mask = 0x1301bf): Entry => ({ kind: 'allow', flags, mask, sid: mine })
const deny = (flags: readonly string[], mask = 0x1f01ff): Entry => ({ kind: 'deny', flags, mask, sid: mine })

test.each([
  'D:',
  'D:P',
  'D:PAI(A;OICI;FA;;;SY)',
  'D:ARAI(D;;FA;;;WD)(A;;0x1200a9;;;BU)(A;OICIID;GXGR;;;S-1-5-21-1-2-3-4)',
  'D:(XA;;FX;;;S-1-1-0;(@User.Title=="PM" && (@User.Division=="Finance (1)")))(A;;FA;;;BA)',
  'D:(OA;;RP;6da8a4ff-0e52-11d0-a286-00aa003049e2;;AU)(A;ID;FA;;;SY)',
])('%s is kept letter by letter', (text) => {
  const list = parseList(text)
  expect(list && printList(list)).toBe(text)
})

test.each([
  '',
  'S:(ML;;NW;;;LW)',
  'D:NO_ACCESS_CONTROL',
  'D:X(A;;FA;;;SY)',
  'D:(A;;FA;;;SY',
  'D:(A;;FA;;;SY))',
  'D:(A;;FA;;;SY)x',
  'O:BAD:(A;;FA;;;SY)',
])('%j is no list', (text) => {
  expect(parseList(text)).toBeUndefined()
})

describe('entries', () => {
  test.each<[string, Entry | undefined]>([
    ['(A;OICI;FA;;;SY)', { kind: 'allow', flags: ['OI', 'CI'], mask: 0x1f01ff, sid: 'SY' }],
    ['(A;;0x1200a9;;;BU)', { kind: 'allow', flags: [], mask: 0x1200a9, sid: 'BU' }],
    ['(D;ID;FRFW;;;WD)', { kind: 'deny', flags: ['ID'], mask: 0x12019f, sid: 'WD' }],
    ['(A;OICIIO;GXGR;;;CO)', { kind: 'allow', flags: ['OI', 'CI', 'IO'], mask: 0x1200a9, sid: 'CO' }],
    ['(A;;0x80000000;;;WD)', { kind: 'allow', flags: [], mask: 0x120089, sid: 'WD' }],
    ['(A;CI;CCDCLC;;;BU)', { kind: 'allow', flags: ['CI'], mask: 7, sid: 'BU' }],
    ['(A;;;;;WD)', { kind: 'allow', flags: [], mask: 0, sid: 'WD' }],
    ['(XA;;FX;;;WD;(Member_of{SID(BA)}))', undefined],
    ['(OA;;RP;6da8a4ff-0e52-11d0-a286-00aa003049e2;;AU)', undefined],
    ['(AU;SA;FA;;;WD)', undefined],
    ['(A;OICI;XX;;;SY)', undefined],
    ['(A;OIC;FA;;;SY)', undefined],
  ])('%s', (text, entry) => {
    expect(parseEntry(text)).toEqual(entry)
  })

  test('a printed entry is read as the same', () => {
    for (const entry of [allow([]), allow(['OI', 'CI', 'IO'], 1), deny(['OI', 'CI', 'ID'])]) {
      expect(parseEntry(printEntry(entry))).toEqual(entry)
    }
  })

  test.each([
    ['SY', 'S-1-5-18', true],
    ['BU', 'S-1-5-32-545', true],
    ['LA', 'S-1-5-21-1-2-3-500', true],
    ['S-1-5-21-1-2-3-500', 'LA', true],
    ['LA', 'S-1-5-21-1-2-3-1500', false],
    ['LA', 'S-1-5-21-1-2-500', false],
    ['SY', 'BA', false],
    ['S-1-5-21-1-2-3-4', 'S-1-5-21-1-2-3-45', false],
  ])('%s and %s are the same: %j', (one, other, same) => {
    expect(sameSid(one, other)).toBe(same)
  })
})

describe('adding', () => {
  const before = 'D:AI(D;;FA;;;WD)(A;;FA;;;SY)(D;ID;FW;;;BU)(A;ID;FR;;;BU)'
  test.each<[string, readonly Entry[], string]>([
    ['what denies stands first', [deny([])], '(D;;0x1f01ff;;;M)(D;;FA;;;WD)(A;;FA;;;SY)(D;ID;FW;;;BU)(A;ID;FR;;;BU)'],
    ['what allows stands before what is inherited', [allow([])], '(D;;FA;;;WD)(A;;FA;;;SY)(A;;0x1301bf;;;M)(D;ID;FW;;;BU)(A;ID;FR;;;BU)'],
    [
      'what is inherited and allows stands last',
      [allow(['ID'])],
      '(D;;FA;;;WD)(A;;FA;;;SY)(D;ID;FW;;;BU)(A;ID;FR;;;BU)(A;ID;0x1301bf;;;M)',
    ],
    [
      'what is inherited and denies stands before it',
      [deny(['ID'])],
      '(D;;FA;;;WD)(A;;FA;;;SY)(D;ID;0x1f01ff;;;M)(D;ID;FW;;;BU)(A;ID;FR;;;BU)',
    ],
  ])('%s', (_name, added, after) => {
    const list = parseList(before)
    expect(list && printList(addEntries(list, added))).toBe(`D:AI${after.replaceAll(';M)', `;${mine})`)}`)
  })

  test('an empty list', () => {
    expect(printList(addEntries({ flags: 'P', entries: [] }, [allow(['OI', 'CI'])]))).toBe(`D:P(A;OICI;0x1301bf;;;${mine})`)
  })
})

describe('removing', () => {
  test('one for each, however it came to be there', () => {
    const list = parseList(`D:(A;OICI;0x1301bf;;;${mine})(A;;FA;;;SY)(A;OICIID;0x1301bf;;;${mine})(A;OICI;FR;;;${mine})`)
    const once = list && removeEntries(list, [allow(['OI', 'CI'])])
    expect(once && printList(once)).toBe(`D:(A;;FA;;;SY)(A;OICIID;0x1301bf;;;${mine})(A;OICI;FR;;;${mine})`)
    const twice = once && removeEntries(once, [allow(['OI', 'CI'])])
    expect(twice && printList(twice)).toBe(`D:(A;;FA;;;SY)(A;OICI;FR;;;${mine})`)
    expect(twice && removeEntries(twice, [allow(['OI', 'CI'])])).toEqual(twice)
  })

  const entry: fc.Arbitrary<Entry> = fc.record({
    kind: fc.constantFrom('allow', 'deny'),
    flags: fc.subarray(['OI', 'CI', 'IO', 'ID']),
    mask: fc.nat(0x1fffff),
    sid: fc.constantFrom(mine, 'S-1-5-21-1-2-3-4'),
  })
  const foreign = fc.constantFrom('(A;OICI;FA;;;SY)', '(D;;FA;;;WD)', '(A;ID;FR;;;BU)', '(XA;;FX;;;WD;(a=="("))', `(A;;FR;;;${mine})`)

  test('what was added and is removed leaves the list as it was', () => {
    fc.assert(
      fc.property(fc.array(foreign, { maxLength: 6 }), fc.array(entry, { maxLength: 4 }), (entries, added) => {
        // Lists in canonical order, as Windows keeps them.
        const list = {
          flags: 'AI',
          entries: [...entries.filter((text) => !text.includes(';ID;')), ...entries.filter((text) => text.includes(';ID;'))],
        }
        const after = removeEntries(addEntries(list, added), added)
        expect(after.entries.toSorted()).toEqual(list.entries.toSorted())
      }),
    )
  })
})

test.each([
  [`D:(A;;FA;;;${mine})`, 0x1200a9, true],
  [`D:(A;OICIIO;FA;;;${mine})`, 0x1200a9, false],
  [`D:(A;;FR;;;${mine})(A;;FX;;;${mine})`, 0x1200a9, true],
  [`D:(D;;0x1;;;${mine})(A;;FA;;;${mine})`, 0x1200a9, false],
  [`D:(A;;FA;;;${mine})(D;;0x1;;;${mine})`, 0x1200a9, true],
  ['D:(A;;FA;;;SY)', 0x1, false],
  ['D:', 0x1, false],
])('%s allows 0x%x: %j', (text, mask, allowed) => {
  const list = parseList(text)
  expect(list && allows(list, mine, mask)).toBe(allowed)
})
