import { describe, expect, test } from 'vitest'
import { compile, compileTarget } from '../../../plugins/intercept-hook/match.ts'

const workspace = String.raw`C:\w\s`

describe('paths', () => {
  test.each([
    [String.raw`C:\Windows\System32\curl.exe`, [String.raw`C:\Windows\System32\curl.exe`]],
    ['C:/Windows//System32/./curl.exe', [String.raw`C:\Windows\System32\curl.exe`]],
    ['C:\\opt\\', [String.raw`C:\opt`]],
    ['C:\\', ['C:\\']],
    ['c:/**', [String.raw`c:\**`]],
    ['*:/pagefile.sys', [String.raw`*:\pagefile.sys`]],
    ['**', ['**']],
    ['**/curl.exe', [String.raw`**\curl.exe`]],
    [String.raw`\\server\share\x`, [String.raw`\\server\share\x`]],
    ['//server/share/**', [String.raw`\\server\share\**`]],
    ['./dist', [String.raw`C:\w\s\dist`, String.raw`C:\w\s\dist\**`]],
    ['./dist/', [String.raw`C:\w\s\dist`, String.raw`C:\w\s\dist\**`]],
    [String.raw`.\dist\*.js`, [String.raw`C:\w\s\dist\*.js`, String.raw`C:\w\s\dist\*.js\**`]],
    ['./src/**', [String.raw`C:\w\s\src\**`]],
    ['.', [String.raw`C:\w\s`, String.raw`C:\w\s\**`]],
    ['./', [String.raw`C:\w\s`, String.raw`C:\w\s\**`]],
  ])('%j becomes %j', (match, patterns) => {
    expect(compile('path', match, workspace)).toEqual({ patterns })
  })

  test.each([
    ['dist', String.raw`neither starts with a drive, \\server, ./ or **`],
    ['', String.raw`neither starts with a drive, \\server, ./ or **`],
    [String.raw`\Windows`, String.raw`neither starts with a drive, \\server, ./ or **`],
    ['/usr/bin/curl', String.raw`neither starts with a drive, \\server, ./ or **`],
    ['C:file', String.raw`neither starts with a drive, \\server, ./ or **`],
    ['../x', 'contains ".."'],
    [String.raw`.\..\x`, 'contains ".."'],
    [String.raw`C:\a\..\b`, 'contains ".."'],
    [`C:\\a\0b`, 'contains a NUL character'],
    [`C:\\${'a'.repeat(32_700)}`, 'is longer than 32700 characters'],
  ])('%j is refused', (match, reason) => {
    expect(compile('path', match, workspace)).toEqual({ reason })
  })
})

describe('addresses', () => {
  test.each([
    ['127.0.0.1:80', ['127.0.0.1:80']],
    ['*:443', ['*:443']],
    ['[2001:db8:*]:*', ['[2001:db8:*]:*']],
    ['**', ['**']],
    ['./agent.sock', [String.raw`C:\w\s\agent.sock`, String.raw`C:\w\s\agent.sock\**`]],
  ])('%j becomes %j', (match, patterns) => {
    expect(compile('address', match, workspace)).toEqual({ patterns })
  })

  test.each(['example.com:443', '10.0.0.1', '::1:80', 'localhost:*', ''])('%j is refused', (match) => {
    expect(compile('address', match, workspace)).toEqual({
      reason: 'is not address:port; system calls see addresses, host names are for network.allow',
    })
  })
})

describe('keys', () => {
  test.each([
    [String.raw`HKCU\Software\X\**`, [String.raw`HKCU\Software\X\**`]],
    ['HKLM/Software/X', [String.raw`HKLM\Software\X`]],
    ['HKEY_LOCAL_MACHINE\\Software\\', [String.raw`HKLM\Software`]],
    ['hkey_current_user/Run', [String.raw`HKCU\Run`]],
    ['**/Run/**', [String.raw`**\Run\**`]],
    ['HKLM', ['HKLM']],
  ])('%j becomes %j', (match, patterns) => {
    expect(compile('key', match, workspace)).toEqual({ patterns })
  })

  test.each(['Software', 'HKLMX\\a', '*', ''])('%j is refused', (match) => {
    expect(compile('key', match, workspace)).toEqual({ reason: 'neither starts with HKLM, HKCU, HKU or HKA, nor with **' })
  })
})

test('a name is a name', () => {
  expect(compile('name', 'Spooler', workspace)).toEqual({ patterns: ['Spooler'] })
})

describe('targets', () => {
  test.each([
    ['path', './log.txt', String.raw`C:\w\s\log.txt`],
    ['path', 'D:/x/y', String.raw`D:\x\y`],
    ['address', '127.0.0.1:8080', '127.0.0.1:8080'],
    ['address', '[::1]:8080', '[::1]:8080'],
  ] as const)('%s %j is %j', (kind, target, compiled) => {
    expect(compileTarget(kind, target, workspace)).toEqual({ target: compiled })
  })

  test.each([
    ['path', 'log.txt'],
    ['path', String.raw`\\server\share\x`],
    ['path', String.raw`C:\x\NUL`],
    ['path', String.raw`C:\x:stream`],
    ['address', 'localhost:80'],
    ['address', '*:80'],
  ] as const)('%s %j is refused', (kind, target) => {
    expect(compileTarget(kind, target, workspace)).toEqual({ reason: expect.any(String) })
  })

  test('there may be none', () => {
    expect(compileTarget('path', undefined, workspace)).toEqual({ target: null })
  })
})
