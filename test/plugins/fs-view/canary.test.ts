import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { canaryPath, makeCanary, removeCanary } from '../../../plugins/fs-view/canary.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-canary-test-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

test('lies in the first directory that is writable and not shown', async () => {
  const [shown, missing, good] = ['shown', 'missing', 'good'].map((name) => join(base, name)) as [string, string, string]
  for (const path of [shown, good]) mkdirSync(path)
  const path = await canaryPath([shown, missing, good, base], [shown])
  expect(dirname(path)).toBe(good)
  expect(basename(path)).toMatch(/^bulkhead-canary-[0-9a-f]{32}$/)
  expect(existsSync(path)).toBe(false)
  await expect(canaryPath([shown, missing], [shown])).rejects.toThrow(expect.objectContaining({ code: 'host_unsupported' }))
})

test('can be read by everybody whatever the umask, so that only the view hides it', async () => {
  const path = await canaryPath([base], [])
  const before = process.umask(0o077)
  try {
    await makeCanary(path)
  } finally {
    process.umask(before)
  }
  expect(statSync(path).mode & 0o777).toBe(0o644)
})

test('is made anew: what somebody put in its place is not written to', async () => {
  const path = await canaryPath([base], [])
  const target = join(base, 'target')
  writeFileSync(target, 'precious')
  symlinkSync(target, path)
  await expect(makeCanary(path)).rejects.toThrow('EEXIST')
})

describe('removal', () => {
  test('is idempotent, also before it was made', async () => {
    const path = await canaryPath([base], [])
    await removeCanary({ canary: path })
    await makeCanary(path)
    await removeCanary({ canary: path })
    await removeCanary({ canary: path })
    expect(existsSync(path)).toBe(false)
  })

  test.each([
    ['another file', () => ({ canary: join(base, 'precious') })],
    ['a name that only begins like one', () => ({ canary: join(base, 'bulkhead-canary-../precious') })],
    ['no path', () => ({})],
    ['nothing', () => null],
  ])('of %s is refused', async (_name, data) => {
    writeFileSync(join(base, 'precious'), '')
    await expect(removeCanary(data())).rejects.toThrow()
    expect(existsSync(join(base, 'precious'))).toBe(true)
  })

  test('of a link takes the link', async () => {
    const path = await canaryPath([base], [])
    writeFileSync(join(base, 'precious'), '')
    symlinkSync(join(base, 'precious'), path)
    await removeCanary({ canary: path })
    expect(existsSync(join(base, 'precious'))).toBe(true)
  })
})
