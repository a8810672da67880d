import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostHas } from '../support/host.ts'
import { HookParts, readText, text16, u32 } from '../support/hook-parts.ts'

const noFile = -1
const tooLong = -2
const roomy = 33_000

let parts: HookParts
beforeAll(() => {
  parts = new HookParts()
})
afterAll(() => parts[Symbol.dispose]())

const globs = (pairs: readonly (readonly [string, string])[]): readonly boolean[] =>
  parts
    .ask(
      'glob',
      pairs.map(([pattern, text]) => Buffer.concat([text16(pattern), text16(text)])),
    )
    .map((answer) => answer.readInt32LE() === 1)
const paths = (natives: readonly string[], size = roomy): readonly (string | number)[] =>
  parts
    .ask(
      'path',
      natives.map((native) => Buffer.concat([u32(size), text16(native)])),
    )
    .map((answer) => readText(answer))
const user = String.raw`\REGISTRY\USER\S-1-5-21-1-2-3-1001`
const keys = (natives: readonly string[], size = roomy): readonly (string | number)[] =>
  parts
    .ask(
      'key',
      natives.map((native) => Buffer.concat([u32(size), text16(user), text16(native)])),
    )
    .map((answer) => readText(answer))

/** The same language by way of a regular expression: slower and obviously right. */
function reference(pattern: string): RegExp {
  const token = /(?<=^|\\)\*{2,}\\|\*{2,}|\*|[\s\S]/gy
  const source = (pattern.toUpperCase().replaceAll('/', '\\').match(token) ?? []).map((part) => {
    if (part.startsWith('**')) return part.endsWith('\\') ? String.raw`(?:[^\\]*\\)*` : '[^]*'
    return part === '*' ? String.raw`[^\\]*` : part.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`)
  })
  return new RegExp(`^${source.join('')}$`)
}

describe.runIf(hostHas('cc'))('the matcher', () => {
  test.each([
    [String.raw`C:\Windows\System32\curl.exe`, String.raw`c:\windows\system32\CURL.EXE`, true],
    ['C:/Windows/System32/curl.exe', String.raw`C:\Windows\System32\curl.exe`, true],
    [String.raw`C:\Windows\*`, String.raw`C:\Windows\x`, true],
    [String.raw`C:\Windows\*`, String.raw`C:\Windows\x\y`, false],
    [String.raw`C:\Windows\**`, String.raw`C:\Windows\x\y`, true],
    [String.raw`C:\Windows\**`, String.raw`C:\Windows`, false],
    [String.raw`C:\Windows\**`, String.raw`C:\WindowsX\y`, false],
    [String.raw`C:\**\curl.exe`, String.raw`C:\curl.exe`, true],
    [String.raw`C:\**\curl.exe`, String.raw`C:\a\b\curl.exe`, true],
    [String.raw`C:\**\curl.exe`, String.raw`C:\acurl.exe`, false],
    [String.raw`**\curl.exe`, String.raw`C:\a\curl.exe`, true],
    ['**', 'C:\\', true],
    ['*:443', '10.0.0.1:443', true],
    ['[2001:db8::*]:*', '[2001:DB8::1]:22', true],
    ['ÄÖ*', 'äöü', true],
    ['', '', true],
    ['', 'a', false],
  ] as const)('%j on %j is %j', (pattern, text, expected) => {
    expect(globs([[pattern, text]])).toEqual([expected])
  })

  test('agrees with the regular expression on every short pattern and text', () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'B', '\\', '/', '*', '**', '**\\', '\\**\\'), { maxLength: 9 })
      .map((some) => some.join(''))
    const text = fc.array(fc.constantFrom('A', 'b', '\\', '/', '*', 'a\\', 'b\\'), { maxLength: 12 }).map((some) => some.join(''))
    fc.assert(
      fc.property(fc.array(fc.tuple(pattern, text), { minLength: 300, maxLength: 600 }), (pairs) => {
        const expected = pairs.map(([one, other]) => reference(one).test(other.toUpperCase().replaceAll('/', '\\')))
        expect(globs(pairs)).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })

  test('a hostile text cannot make it slow', () => {
    const started = performance.now()
    expect(globs([[`**${'a*'.repeat(50)}b`, 'a'.repeat(4095)]])).toEqual([false])
    expect(performance.now() - started).toBeLessThan(3000)
  })
})

describe.runIf(hostHas('cc'))('the names of files', () => {
  test.each([
    [String.raw`\??\C:\dir\file.txt`, String.raw`C:\dir\file.txt`],
    [String.raw`\??\c:\Dir\File.TXT`, String.raw`C:\Dir\File.TXT`],
    ['\\??\\C:\\', 'C:\\'],
    [String.raw`\DosDevices\C:\a`, String.raw`C:\a`],
    [String.raw`\GLOBAL??\C:\a`, String.raw`C:\a`],
    [String.raw`\??\Global\C:\a`, String.raw`C:\a`],
    [String.raw`\??\global\Global\C:\a`, String.raw`C:\a`],
    [String.raw`\??\GLOBALROOT\Device\HarddiskVolume3\a`, String.raw`C:\a`],
    [String.raw`\??\GLOBALROOT\??\C:\a`, String.raw`C:\a`],
    [String.raw`\??\GLOBALROOT\GLOBAL??\C:\a`, String.raw`C:\a`],
    [String.raw`\Device\HarddiskVolume3\dir\file`, String.raw`C:\dir\file`],
    [String.raw`\device\harddiskvolume4\dir`, String.raw`D:\dir`],
    [String.raw`\Device\HarddiskVolume33\dir`, String.raw`\\?\GLOBALROOT\Device\HarddiskVolume33\dir`],
    [String.raw`\Device\HarddiskVolume3`, String.raw`\\.\C:`],
    [String.raw`\Device\HarddiskVolumeShadowCopy1\Windows`, String.raw`\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\Windows`],
    [String.raw`\Device\CdRom0\setup.exe`, String.raw`E:\setup.exe`],
    [String.raw`\??\Volume{01234567-89ab-cdef-0123-456789abcdef}\a`, String.raw`D:\a`],
    [String.raw`\??\HarddiskVolume9\a`, String.raw`\\?\GLOBALROOT\Device\HarddiskVolume9\a`],
    [String.raw`\??\Harddisk0Partition1\a`, String.raw`C:\a`],
    [String.raw`\??\UNC\server\share\a`, String.raw`\\server\share\a`],
    [String.raw`\Device\Mup\server\share\a`, String.raw`\\server\share\a`],
    [String.raw`\Device\Mup\;LanmanRedirector\;Z:0000000000012345\server\share\a`, String.raw`\\server\share\a`],
    [String.raw`\Device\LanmanRedirector\;M:000000000001\server\share\a`, String.raw`\\server\share\a`],
    [String.raw`\??\X:\a`, String.raw`C:\sub\dir\a`],
    [String.raw`\??\M:\a`, String.raw`\\server\share\a`],
    [String.raw`\??\C:`, String.raw`\\.\C:`],
    [String.raw`\??\PhysicalDrive0`, String.raw`\\.\PhysicalDrive0`],
    // What looks like another name, and is the same file.
    [String.raw`\??\C:\dir\file.txt:stream`, String.raw`C:\dir\file.txt`],
    [String.raw`\??\C:\dir\file.txt::$DATA`, String.raw`C:\dir\file.txt`],
    [String.raw`\??\C:\dir::$INDEX_ALLOCATION\file`, String.raw`C:\dir\file`],
    [String.raw`\??\C:\dir.\file...`, String.raw`C:\dir\file`],
    ['\\??\\C:\\dir \\file . .', String.raw`C:\dir\file`],
    [String.raw`\??\C:\dir\..\file`, String.raw`C:\file`],
    [String.raw`\??\C:\..\..\file`, String.raw`C:\file`],
    [String.raw`\??\C:\.\\dir\\.\file`, String.raw`C:\dir\file`],
    [String.raw`\??\C:\dir/file`, String.raw`C:\dir\file`],
    ['\\??\\C:\\dir\\', String.raw`C:\dir`],
    [String.raw`\??\C:\...`, String.raw`C:\...`],
    [String.raw`\??\Z:\unmapped`, String.raw`Z:\unmapped`],
    // What is no file.
    [String.raw`\??\pipe\x`, noFile],
    [String.raw`\Device\NamedPipe\x`, noFile],
    [String.raw`\Device\Afd\Endpoint`, noFile],
    [String.raw`\Device\ConDrv\Console`, noFile],
    [String.raw`\??\NUL`, noFile],
    [String.raw`\??\CONOUT$`, noFile],
    [String.raw`\Device\Null`, noFile],
    [String.raw`\??\Volume{ffffffff-89ab-cdef-0123-456789abcdef}\a`, noFile],
    [String.raw`C:\a`, noFile],
    ['', noFile],
    ['\\', noFile],
    // A letter that leads to itself.
    [String.raw`\??\L:\a`, tooLong],
  ] as const)('%j is %j', (native, expected) => {
    expect(paths([native])).toEqual([expected])
  })

  test('a path that does not fit is refused, never cut', () => {
    const native = String.raw`\??\C:\0123456789`
    expect(paths([native], 13)).toEqual([String.raw`C:\0123456789`])
    for (let size = 1; size < 13; size++) expect(paths([native], size)).toEqual([tooLong])
  })

  test('whatever comes in, what comes out is one spelling', () => {
    const pieces = [
      '\\ / ?? \\??\\ C: x: L: M: UNC GLOBALROOT Global \\Device\\ HarddiskVolume3 Mup ;a .. . a c. :s ::$DATA ...',
      'Volume{01234567-89ab-cdef-0123-456789abcdef} é \u0000 \ud800',
    ]
    const piece = fc.constantFrom('b ', ' ', ...pieces.join(' ').split(' '))
    const native = fc.oneof(
      fc.array(piece, { maxLength: 14 }).map((some) => some.join('')),
      fc.array(piece, { maxLength: 10 }).map((some) => `\\??\\C:\\${some.join('\\')}`),
    )
    fc.assert(
      fc.property(fc.array(native, { minLength: 200, maxLength: 400 }), fc.constantFrom(roomy, 40, 12, 3), (natives, size) => {
        const made = paths(natives, size).filter((result) => typeof result === 'string')
        expect(made.filter((result) => !/^(?:[A-Z]:\\|\\\\)/.test(result))).toEqual([])
        const onDrives = made.filter((result) => /^[A-Z]:\\./.test(result))
        const names = onDrives.flatMap((result) => result.slice(3).split('\\'))
        expect(names.filter((name) => name === '' || name === '.' || name === '..' || name.includes(':'))).toEqual([])
        // Said again, it stays the same.
        expect(paths(onDrives.map((result) => `\\??\\${result}`))).toEqual(onDrives)
      }),
      { numRuns: 20 },
    )
  })
})

describe.runIf(hostHas('cc'))('the names of keys', () => {
  test.each([
    [String.raw`\REGISTRY\MACHINE\SOFTWARE\X`, String.raw`HKLM\SOFTWARE\X`],
    [String.raw`\Registry\Machine`, 'HKLM'],
    [String.raw`\REGISTRY\USER\S-1-5-21-1-2-3-1001\Software\X`, String.raw`HKCU\Software\X`],
    [String.raw`\registry\user\s-1-5-21-1-2-3-1001`, 'HKCU'],
    [String.raw`\REGISTRY\USER\S-1-5-21-1-2-3-1001_Classes\CLSID`, String.raw`HKCU\Software\Classes\CLSID`],
    [String.raw`\REGISTRY\USER\S-1-5-21-1-2-3-10011\Software`, String.raw`HKU\S-1-5-21-1-2-3-10011\Software`],
    [String.raw`\REGISTRY\USER\.DEFAULT\Software`, String.raw`HKU\.DEFAULT\Software`],
    [String.raw`\REGISTRY\A\{1}\x`, String.raw`HKA\{1}\x`],
    [String.raw`\REGISTRY\WC\Silo`, String.raw`\REGISTRY\WC\Silo`],
    [String.raw`\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x`, String.raw`HKLM\SYSTEM\CurrentControlSet\Services\x`],
    [String.raw`\REGISTRY\MACHINE\System\controlset002`, String.raw`HKLM\System\CurrentControlSet`],
    [String.raw`\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services`, String.raw`HKLM\SYSTEM\CurrentControlSet\Services`],
    [String.raw`\REGISTRY\MACHINE\SYSTEM\ControlSet0011\x`, String.raw`HKLM\SYSTEM\ControlSet0011\x`],
    ['\\REGISTRY\\MACHINE\\SOFTWARE\\', String.raw`HKLM\SOFTWARE`],
    [String.raw`\REGISTRY\MACHINEX`, String.raw`\REGISTRY\MACHINEX`],
    [String.raw`\Device\x`, -1],
    ['', -1],
  ] as const)('%j is %j', (native, expected) => {
    expect(keys([native])).toEqual([expected])
  })

  test('a name that does not fit is refused, never cut', () => {
    const native = String.raw`\REGISTRY\MACHINE\SYSTEM\ControlSet001\x`
    const whole = String.raw`HKLM\SYSTEM\CurrentControlSet\x`
    expect(keys([native], whole.length)).toEqual([whole])
    for (let size = 0; size < whole.length; size++) expect(keys([native], size)).toEqual([tooLong])
  })
})
