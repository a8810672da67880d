import { expect, test } from 'vitest'
import { letsUsersRead, withoutReadGrant, withReadGrant } from '../../../plugins/token-account/read-grant.ts'

test.each([
  ['D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)', false],
  ['D:(A;;0x1200a9;;;BU)', true],
  ['D:AI(A;OICIID;0x1301bf;;;AU)', true],
  ['D:(A;;FA;;;WD)', true],
  ['D:(A;;FRFX;;;BU)', true],
  ['D:(A;;FR;;;BU)', false],
  ['D:(A;OICIIO;GXGR;;;BU)', false],
  ['D:(D;;0x1200a9;;;BU)', false],
  ['D:(A;;0x120089;;;BU)', false],
])('letsUsersRead %s', (sddl, answer) => {
  expect(letsUsersRead(sddl)).toBe(answer)
})

test.each([
  ['D:PAI(A;OICI;FA;;;SY)', true, 'D:PAI(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)'],
  ['D:AI(A;;FA;;;BA)(A;OICIID;FA;;;SY)', false, 'D:AI(A;;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIID;FA;;;SY)'],
  ['D:P', false, 'D:P(A;;0x1200a9;;;BU)'],
])('the grant goes behind explicit entries and before inherited ones, and off again: %s', (sddl, directory, granted) => {
  expect(withReadGrant(sddl, directory)).toBe(granted)
  expect(letsUsersRead(granted)).toBe(true)
  expect(withoutReadGrant(granted, directory)).toBe(sddl)
})
