import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ReceiptFiles } from '../../../core/journal/receipt-files.ts'

const root = mkdtempSync(join(tmpdir(), 'bulkhead-receipts-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const receiptOf = (data: unknown) => ({ plugin: 'fs-x', data })

test('a receipt is there from record to settle, for others too, and leaves nothing', () => {
  const directory = join(root, 'a')
  const mine = new ReceiptFiles({ directory, self: { pid: 10, startTime: '5' } })
  expect([mine.receipts(), mine.orchestrators()]).toEqual([[], []])
  const first = mine.record({ orchestrator: mine.id, job: 'exec-10' }, receiptOf(1))
  const second = mine.record({ orchestrator: mine.id, job: 'exec-10' }, receiptOf(2))

  const other = new ReceiptFiles({ directory, self: { pid: 11, startTime: '6' } })
  expect(other.orchestrators()).toEqual([{ id: '10-5', pid: 10, startTime: '5', heartbeatAt: 0 }])
  expect(other.receipts().map(({ orchestrator, job, receipt }) => ({ orchestrator, job, receipt }))).toEqual([
    { orchestrator: '10-5', job: 'exec-10', receipt: receiptOf(1) },
    { orchestrator: '10-5', job: 'exec-10', receipt: receiptOf(2) },
  ])
  for (const { id } of other.receipts()) other.settle(id)
  expect(readdirSync(directory)).toEqual([])
  // Settled by both: no error.
  mine.settle(first)
  mine.settle(second)
})

test('what a process left between directory and receipt is cleared away, a half-written receipt does not count', () => {
  const directory = join(root, 'b')
  mkdirSync(join(directory, '12-7'), { recursive: true })
  writeFileSync(join(directory, '12-7', '1.json.new'), '{"job"')
  mkdirSync(join(directory, 'not a process'))
  const mine = new ReceiptFiles({ directory, self: { pid: 13, startTime: '8' } })
  expect(mine.receipts()).toEqual([])
  expect(readdirSync(directory)).toEqual(['not a process'])
})

test('a directory that cannot be written is one clear error', () => {
  writeFileSync(join(root, 'a-file'), '')
  const directory = join(root, 'a-file', 'exec')
  // What lies below a file is simply not found on Windows.
  const reason = process.platform === 'win32' ? 'ENOENT' : 'ENOTDIR'
  const mine = new ReceiptFiles({ directory, self: { pid: 1, startTime: '1' } })
  expect(() => mine.record({ orchestrator: mine.id, job: 'x' }, receiptOf(1))).toThrow(
    expect.objectContaining({ code: 'journal_failed', message: `receipts cannot be kept in ${directory} (${reason})` }),
  )
})
