import { describe, expect, test } from 'vitest'
import { findDenied } from '../../../plugins/fs-acl/deny-find.ts'
import { fixedPart, nameInWorkspace, parseDeny } from '../../../plugins/fs-acl/deny-pattern.ts'
import { FakeWindowsDisk } from '../../support/fake-windows-disk.ts'

const workspace = String.raw`C:\ws`

function disk(): FakeWindowsDisk {
  return new FakeWindowsDisk().lay({
    [String.raw`C:\ws\.env`]: '',
    [String.raw`C:\ws\.ENV.local`]: '',
    [String.raw`C:\ws\src\.env`]: '',
    [String.raw`C:\ws\src\deep\key.PEM`]: '',
    [String.raw`C:\ws\keys\a.pem`]: '',
    [String.raw`C:\ws\keys\b.txt`]: '',
    [String.raw`C:\ws\build\keys\c.pem`]: '',
    [String.raw`C:\data\x.pem`]: '',
    [String.raw`C:\closed\y.pem`]: '',
  })
}

const found = async (...deny: string[]): Promise<readonly string[]> => {
  const patterns = deny.flatMap((text) => parseDeny(text, workspace) ?? [])
  return (await findDenied(disk(), patterns, [workspace, String.raw`C:\data`], new AbortController().signal)).map(({ path }) =>
    path.slice(3),
  )
}

test.each<[readonly string[], readonly string[]]>([
  [['.env'], [String.raw`ws\.env`, String.raw`ws\src\.env`]],
  [['.Env'], [String.raw`ws\.env`, String.raw`ws\src\.env`]],
  [['./.env'], [String.raw`ws\.env`]],
  [['src/.env'], [String.raw`ws\src\.env`]],
  [[String.raw`src\.env`], [String.raw`ws\src\.env`]],
  [['*.pem'], [String.raw`ws\build\keys\c.pem`, String.raw`ws\keys\a.pem`, String.raw`ws\src\deep\key.PEM`]],
  [['keys/*'], [String.raw`ws\keys\a.pem`, String.raw`ws\keys\b.txt`]],
  [['keys'], [String.raw`ws\build\keys`, String.raw`ws\keys`]],
  [['keys/'], [String.raw`ws\build\keys`, String.raw`ws\keys`]],
  [['.env/'], []],
  [['**/keys/*.pem'], [String.raw`ws\build\keys\c.pem`, String.raw`ws\keys\a.pem`]],
  [['src/**'], [String.raw`ws\src\.env`, String.raw`ws\src\deep`]],
  [['.*.local'], [String.raw`ws\.ENV.local`]],
  [['.env*'], [String.raw`ws\.ENV.local`, String.raw`ws\.env`, String.raw`ws\src\.env`]],
  [[String.raw`C:\data\*.pem`], [String.raw`data\x.pem`]],
  [[String.raw`c:/DATA/**`], [String.raw`data\x.pem`]],
  [
    [String.raw`C:\**\*.pem`],
    [String.raw`data\x.pem`, String.raw`ws\build\keys\c.pem`, String.raw`ws\keys\a.pem`, String.raw`ws\src\deep\key.PEM`],
  ],
  [[String.raw`C:\closed\*.pem`], []],
  [
    ['keys', 'keys/a.pem'],
    [String.raw`ws\build\keys`, String.raw`ws\keys`],
  ],
  [['absent'], []],
])('%j finds %j', async (deny, paths) => {
  expect(await found(...deny)).toEqual(paths)
})

test('many stars do not take for ever', async () => {
  const begun = performance.now()
  const name = `${'a'.repeat(200)}b`
  const long = new FakeWindowsDisk().lay({ [`C:\\ws\\${name}`]: '' })
  const pattern = parseDeny(`${'*a'.repeat(60)}*c`, workspace)
  expect(pattern && (await findDenied(long, [pattern], [workspace], new AbortController().signal))).toEqual([])
  expect(performance.now() - begun).toBeLessThan(500)
})

test('too many are refused', async () => {
  const many = new FakeWindowsDisk().lay(Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`C:\\ws\\${index}.pem`, ''])))
  const pattern = parseDeny('*.pem', workspace)
  await expect(pattern && findDenied(many, [pattern], [workspace], new AbortController().signal)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('more than 1000') as string,
  })
})

describe('names that must not come to be', () => {
  test.each([
    ['.env', '.env'],
    ['./.env', '.env'],
    ['dir/', 'dir'],
    ['a/b', undefined],
    [String.raw`a\b`, undefined],
    ['*.pem', undefined],
    [String.raw`C:\x`, undefined],
    ['con', undefined],
    ['..', undefined],
  ])('%s: %s', (text, name) => {
    expect(nameInWorkspace(text)).toBe(name)
  })
})

test.each([
  [String.raw`C:\a\b\*.x`, String.raw`C:\a\b`],
  [String.raw`C:\*`, 'C:\\'],
  [String.raw`c:/a/**/b`, String.raw`C:\a`],
  [String.raw`C:\a\b`, String.raw`C:\a\b`],
  ['a/*', undefined],
])('the fixed part of %s is %s', (text, part) => {
  expect(fixedPart(text)).toBe(part)
})
