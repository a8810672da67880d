import { expect, test } from 'vitest'
import { parseLabel, printLabel } from '../../../native/windows/label.ts'

test.each([
  ['S:(ML;;NW;;;LW)', [1, 0, 1, 0x1000]],
  ['S:(ML;OICI;NW;;;ME)', [1, 3, 1, 0x2000]],
  ['S:(ML;OICIID;NWNRNX;;;HI)', [1, 0x13, 7, 0x3000]],
  ['S:(ML;NPIO;;;;SI)', [1, 0xc, 0, 0x4000]],
  ['S:(ML;;NW;;;S-1-16-20480)', [1, 0, 1, 20_480]],
])('%s', (text, numbers) => {
  const label = parseLabel(text)
  expect([0, 4, 8, 12].map((offset) => label.readUInt32LE(offset))).toEqual(numbers)
  expect(printLabel(label)).toBe(text)
})

test.each(['', 'S:'])('%j is none', (text) => {
  expect(printLabel(parseLabel(text))).toBe('')
})

test.each([
  'D:(A;;FA;;;SY)',
  'S:(ML;;NW;;;XX)',
  'S:(ML;O;NW;;;LW)',
  'S:(ML;XX;NW;;;LW)',
  'S:(ML;;ZZ;;;LW)',
  'S:(ML;;NW;;;LW)(AU;SA;FA;;;WD)',
  'S:(AU;SA;FA;;;WD)',
])('%j is refused', (text) => {
  expect(() => parseLabel(text)).toThrow(TypeError)
})
