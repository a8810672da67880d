import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Sandbox } from '../../../core/contracts/index.ts'
import { holdsMoreThan } from '../../../plugins/fs-acl/usage.ts'
import { FakeWindowsDisk } from '../../support/fake-windows-disk.ts'
import { makeWorkspace, stage } from './stage.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('counts what is in files, as far as it must', async () => {
  const disk = new FakeWindowsDisk().lay({ [String.raw`C:\t\a`]: '12345', [String.raw`C:\t\deep\b`]: '12345' })
  const signal = new AbortController().signal
  expect(await holdsMoreThan(disk, 'C:\\t', 9, signal)).toBe(true)
  expect(await holdsMoreThan(disk, 'C:\\t', 10, signal)).toBe(false)
  expect(await holdsMoreThan(disk, 'C:\\absent', 0, signal)).toBe(false)
})

test('an agent that keeps more than it may is stopped, once, and it is reported', async () => {
  const one = stage()
  await makeWorkspace(one)
  const applied = await one.apply({ temporaryBytes: 100 })
  const own = applied.contribute({ command: { argv: [], directory: '', environment: {} } } as never).command.environment['TEMP'] ?? ''
  let killed = 0
  const sandbox = { kill: () => void killed++ } as unknown as Sandbox
  await applied.attach?.(sandbox)
  await vi.advanceTimersByTimeAsync(1_500)
  expect(killed).toBe(0)
  one.disk.lay({ [`${own}\\big`]: 'x'.repeat(101) })
  await vi.waitFor(async () => {
    await vi.advanceTimersByTimeAsync(1_500)
    expect(killed).toBe(1)
  })
  expect(one.reports).toEqual([
    expect.objectContaining({ reason: 'temporary_bytes_exceeded', action: 'kill', remedy: 'limits.temporaryBytes', plugin: 'fs-acl' }),
  ])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(killed).toBe(1)
  await applied[Symbol.asyncDispose]()
})

test('without a limit nothing is measured, and after the end neither', async () => {
  const one = stage()
  await makeWorkspace(one)
  const free = await one.apply()
  await free.attach?.({} as Sandbox)
  expect(vi.getTimerCount()).toBe(0)
  const limited = await one.apply({ temporaryBytes: 1 })
  await limited.attach?.({} as Sandbox)
  expect(vi.getTimerCount()).toBe(1)
  await limited[Symbol.asyncDispose]()
  expect(vi.getTimerCount()).toBe(0)
})
