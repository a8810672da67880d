/** The double itself: the filtering platform refuses what the documented rules refuse, with their errors. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { outcomes, selftest } from '../../support/confined.ts'

/** "WFP Error Codes"; 0 is success. */
const expected: Readonly<Record<string, string>> = {
  'commit without a transaction': '0x8032000d',
  'abort without a transaction': '0x8032000d',
  begin: '0x0',
  'begin again': '0x8032000e',
  abort: '0x0',
  'begin to read': '0x0',
  'add while reading': '0x80320011',
  'end reading': '0x0',
  provider: '0x0',
  'provider again': '0x80320009',
  'provider without a name': '0x80320023',
  'persistent provider in a dynamic session': '0x80320016',
  'sublayer of an unknown provider': '0x80320005',
  sublayer: '0x0',
  'sublayer again': '0x80320009',
  'filter at an unknown layer': '0x80320004',
  'filter in an unknown sublayer': '0x80320007',
  'filter without a name': '0x80320023',
  'filter without an action': '0x80320024',
  'filter too heavy': '0x80320025',
  'persistent filter in a dynamic session': '0x80320016',
  'condition on an unknown field': '0x80320002',
  'condition that the layer has not': '0x80320002',
  'condition of another type': '0x80320027',
  'condition with another match': '0x80320026',
  filter: '0x0',
  'filter again': '0x80320009',
  'remove a provider in use': '0x8032000a',
  'remove a sublayer in use': '0x8032000a',
  'remove another session’s filter': '0x8032000c',
  'remove a filter': '0x0',
  'remove it again': '0x80320003',
  'remove a sublayer': '0x0',
  'remove a provider': '0x0',
  'remove an unknown filter by number': '0x80320003',
  'read the engine’s list': '0x0',
  'write it in a dynamic session': '0x8032000b',
  'write it in another': '0x0',
  close: '0x0',
  'use what was closed': '0x6',
}

const answers = outcomes(execFileSync(selftest('rules'), { encoding: 'utf8' }))

for (const [what, result] of Object.entries(expected)) test(what, () => assert.equal(answers.get(what), result))

test('nothing else was tried', () => assert.deepEqual([...answers.keys()], Object.keys(expected)))
