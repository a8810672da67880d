import { describe, expect, test } from 'vitest'
import { reportError } from '../../../core/cli/render/error.ts'
import { BulkheadError, errorCatalogue, type ErrorCode } from '../../../core/contracts/index.ts'

const plain = { json: false, debug: false }
const usual = (code: ErrorCode): string => errorCatalogue[code].remedy
const error = (code: ErrorCode, message: string, details = {}) => new BulkheadError(code, message, details)

test.each([
  [
    error('usage_unknown_job', 'There is no job "x".', { remedy: 'See bulkhead ls.' }),
    ['bulkhead: There is no job "x"; See bulkhead ls.'],
    2,
  ],
  [
    error('config_invalid', 'unknown key "x"', { where: '/a/b.yaml:3:7', remedy: 'Remove it.' }),
    ['/a/b.yaml:3:7: unknown key "x"; Remove it.'],
    2,
  ],
  [error('host_no_space', 'the disk is full', { where: '/state' }), [`bulkhead: the disk is full (/state); ${usual('host_no_space')}`], 3],
  [error('merge_conflict', 'it conflicts', { job: 'fix', remedy: '' }), [`bulkhead: it conflicts (fix); ${usual('merge_conflict')}`], 5],
  [error('merge_conflict', 'fix conflicts', { job: 'fix', remedy: 'R.' }), ['bulkhead: fix conflicts; R.'], 5],
  [error('merge_conflict', 'x', { where: 'a\nb', remedy: 'R.' }), ['bulkhead: x (a, b); R.'], 5],
  [error('intake_refused', 'a\u001b[2J\nb', { where: 'evil\u202ename', remedy: 'R.' }), ['bulkhead: a^[[2J b (evil<U+202E>name); R.'], 4],
  [new TypeError('boom'), ['bulkhead: boom; Please report this; BULKHEAD_DEBUG=1 shows where it happened.'], 70],
  ['just text', ['bulkhead: just text; Please report this; BULKHEAD_DEBUG=1 shows where it happened.'], 70],
  [Object.assign(new Error('write'), { code: 'ENOSPC' }), [`bulkhead: the disk is full; ${usual('host_no_space')}`], 3],
  [Object.assign(new Error('open'), { code: 'EDQUOT', path: '/a' }), [`bulkhead: the disk is full (/a); ${usual('host_no_space')}`], 3],
] as const)('%s', (thrown, lines, exit) => {
  expect(reportError(thrown, plain)).toEqual({ lines, exit })
})

test('several mistakes are several lines', () => {
  const parts = [
    error('config_invalid', 'one', { where: 'f:1:1', remedy: 'A.' }),
    error('config_invalid', 'two', { where: 'f:2:1', remedy: 'B.' }),
  ]
  const all = error('config_invalid', 'two rules', { cause: new AggregateError(parts) })
  expect(reportError(all, plain)).toEqual({ lines: ['f:1:1: one; A.', 'f:2:1: two; B.'], exit: 2 })
})

test('as JSON', () => {
  const { lines } = reportError(error('usage_unknown_job', 'no', { remedy: 'R.' }), { json: true, debug: false })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { code: 'usage_unknown_job', message: 'no', where: null, job: null, remedy: 'R.', exit: 2 },
  ])
})

test('a defect as JSON', () => {
  const { lines, exit } = reportError(new TypeError('boom'), { json: true, debug: false })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { code: 'internal', message: 'boom', where: null, job: null, remedy: usual('internal'), exit: 70 },
  ])
  expect(exit).toBe(70)
})

test('the stack is shown with BULKHEAD_DEBUG only, escaped', () => {
  const thrown = new Error('a\u001bb', { cause: new Error('inner') })
  const { lines } = reportError(thrown, { json: false, debug: true })
  expect(lines.length).toBeGreaterThan(3)
  expect(lines).toContain('caused by:')
  expect(lines.join('\n')).not.toContain('\u001b')
})

describe('exit codes and usual remedies', () => {
  test.each(Object.entries(errorCatalogue))('%s', (code, { exit, remedy }) => {
    expect(reportError(error(code as ErrorCode, 'x'), plain)).toEqual({ lines: [`bulkhead: x; ${remedy}`], exit })
    expect(remedy).toMatch(/^[A-Z].{8,}\.$/)
    expect([1, 2, 3, 4, 5, 70, 126, 127, 130]).toContain(exit)
  })
})
