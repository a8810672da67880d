import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SetupFiles } from '../../../core/journal/setup-files.ts'

const root = mkdtempSync(join(tmpdir(), 'bulkhead-setup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const filesIn = (name: string, pid = 1, alive: readonly number[] = [1, 2]): SetupFiles =>
  new SetupFiles({
    directory: join(root, name),
    self: { pid, startTime: '5' },
    isAlive: (one) => alive.includes(one.pid) && one.startTime === '5',
  })

test('receipts of a plugin are kept in order until they are settled, for every process', () => {
  const mine = filesIn('a')
  expect(mine.receipts('token-x')).toEqual([])
  mine.record({ plugin: 'token-x', data: { name: 'a' } })
  mine.record({ plugin: 'net-x', data: 1 })
  mine.record({ plugin: 'token-x', data: { name: 'b' } })
  const other = filesIn('a', 2)
  expect(other.receipts('token-x')).toEqual([
    { plugin: 'token-x', data: { name: 'a' } },
    { plugin: 'token-x', data: { name: 'b' } },
  ])
  other.settle('token-x')
  other.settle('token-x')
  expect(mine.receipts('token-x')).toEqual([])
  expect(readdirSync(join(root, 'a'))).toEqual(['net-x.json'])
})

test('a file that something else wrote is an error, not an empty list', () => {
  const mine = filesIn('b')
  mine.record({ plugin: 'token-x', data: 1 })
  for (const text of ['', '{"a":1}', '[1']) {
    writeFileSync(join(root, 'b', 'token-x.json'), text)
    expect(() => mine.receipts('token-x')).toThrow(expect.objectContaining({ code: 'journal_corrupt' }))
    expect(() => mine.record({ plugin: 'token-x', data: 2 })).toThrow(expect.objectContaining({ code: 'journal_corrupt' }))
  }
})

test('a file that was half written when the process died does not count', () => {
  const mine = filesIn('c')
  mine.record({ plugin: 'token-x', data: 1 })
  writeFileSync(join(root, 'c', 'token-x.json.new'), '[1,')
  expect(mine.receipts('token-x')).toEqual([{ plugin: 'token-x', data: 1 }])
  mine.record({ plugin: 'token-x', data: 2 })
  expect(mine.receipts('token-x')).toHaveLength(2)
})

test('one process sets up at a time; a dead one, or one that never wrote its name, holds nothing', () => {
  const mine = filesIn('d', 1)
  const other = filesIn('d', 2)
  const lock = mine.lock()
  expect(lock).toBeDefined()
  expect(other.lock()).toBeUndefined()
  lock?.[Symbol.dispose]()
  other.lock()
  expect(mine.lock()).toBeUndefined()
  expect(filesIn('d', 3, [3]).lock()).toBeDefined()
  expect(readFileSync(join(root, 'd', 'lock'), 'utf8')).toBe('{"pid":3,"startTime":"5"}')
  writeFileSync(join(root, 'd', 'lock'), '{"pi')
  expect(mine.lock()).toBeDefined()
})

test('a directory that cannot be written is one clear error', () => {
  writeFileSync(join(root, 'a-file'), '')
  const mine = filesIn(join('a-file', 'setup'))
  const error = expect.objectContaining({ code: 'journal_failed' })
  expect(() => mine.record({ plugin: 'token-x', data: 1 })).toThrow(error)
  expect(() => mine.lock()).toThrow(error)
})
