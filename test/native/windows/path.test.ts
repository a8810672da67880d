import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalPath, foldCase, isInside, looksShort, nameFault, resolvePath, samePath } from '../../../native/windows/path/index.ts'

const r = String.raw

/** Text and the one spelling it has. */
const accepted: readonly (readonly [text: string, path: string])[] = [
  [r`C:\a`, r`C:\a`],
  [r`c:\a`, r`C:\a`],
  [r`C:\A\b`, r`C:\A\b`],
  ['C:/a/b', r`C:\a\b`],
  [r`C:\a/b\c`, r`C:\a\b\c`],
  [r`C:\a\\b`, r`C:\a\b`],
  [r`C:\\a`, r`C:\a`],
  [`C:\\a\\`, r`C:\a`],
  ['C:\\', 'C:\\'],
  ['c:/', 'C:\\'],
  [r`C:\.`, 'C:\\'],
  [r`C:\..`, 'C:\\'],
  [r`C:\a\.\b`, r`C:\a\b`],
  [r`C:\a\..\b`, r`C:\b`],
  [r`C:\a\b\..\..\..\..\c`, r`C:\c`],
  [r`C:\a\b\..`, r`C:\a`],
  [r`\\?\C:\a`, r`C:\a`],
  [r`\\?\c:\a`, r`C:\a`],
  [`\\\\?\\C:\\`, 'C:\\'],
  [r`\??\C:\a`, r`C:\a`],
  [r`\\.\C:\a`, r`C:\a`],
  [r`\\.\C:/a//b`, r`C:\a\b`],
  ['//?/C:/a', r`C:\a`],
  ['//./C:/a', r`C:\a`],
  [r`C:\Program Files (x86)\a b`, r`C:\Program Files (x86)\a b`],
  [r`C:\ leading space`, r`C:\ leading space`],
  [r`C:\.git`, r`C:\.git`],
  [r`C:\..a`, r`C:\..a`],
  [r`C:\a..b`, r`C:\a..b`],
  [r`C:\PROGRA~1`, r`C:\PROGRA~1`],
  [r`C:\console`, r`C:\console`],
  [r`C:\com`, r`C:\com`],
  [r`C:\com10`, r`C:\com10`],
  [r`C:\a.con`, r`C:\a.con`],
  [r`C:\nul-l`, r`C:\nul-l`],
  [r`C:\ünïcode\日本\😀`, r`C:\ünïcode\日本\😀`],
  [r`C:\a%TEMP%b$()&^;'`, r`C:\a%TEMP%b$()&^;'`],
  [`C:\\${'a'.repeat(255)}`, `C:\\${'a'.repeat(255)}`],
  [r`Z:\x`, r`Z:\x`],
]

/** Text and what is wrong with it. */
const refused: readonly (readonly [text: string, fault: RegExp])[] = [
  ['', /is empty/],
  ['a', /not absolute/],
  [r`a\b`, /not absolute/],
  ['.', /not absolute/],
  [r`..\a`, /not absolute/],
  ['~', /not absolute/],
  ['%USERPROFILE%', /not absolute/],
  ['C:', /current directory of a drive/],
  ['C:a', /current directory of a drive/],
  [r`c:..\a`, /current directory of a drive/],
  [r`\a`, /current drive/],
  ['/a', /current drive/],
  ['/tmp/a', /current drive/],
  [r`\\server\share\a`, /another computer/],
  ['//server/share', /another computer/],
  [r`\/server\share`, /another computer/],
  [r`\\?\UNC\server\share`, /another computer/],
  [r`\\.\UNC\server\share`, /another computer/],
  [r`\??\UNC\server\share`, /another computer/],
  [r`\\localhost\C$\a`, /another computer/],
  [r`\\127.0.0.1\c$`, /another computer/],
  [r`\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\a`, /no file on a drive/],
  [r`\\?\GLOBALROOT\Device\HarddiskVolume1\a`, /no file on a drive/],
  [r`\\.\GLOBALROOT\??\C:\a`, /no file on a drive/],
  [r`\\.\PhysicalDrive0`, /no file on a drive/],
  [r`\\.\pipe\docker_engine`, /no file on a drive/],
  [r`\\?\pipe\x`, /no file on a drive/],
  [r`\\.\CON`, /no file on a drive/],
  [r`\\.\C:`, /whole volume/],
  [r`\\?\c:`, /whole volume/],
  [r`\??\C:`, /whole volume/],
  [r`\Device\HarddiskVolume2\a`, /object of the kernel/],
  [r`\device\HarddiskVolume2\a`, /object of the kernel/],
  [r`\DosDevices\C:\a`, /object of the kernel/],
  [r`\GLOBAL??\C:\a`, /object of the kernel/],
  [r`\SystemRoot\System32`, /object of the kernel/],
  [r`\\?\C:\a\..\b`, /dots only/],
  [r`\\?\C:\a\.\b`, /dots only/],
  [r`\??\C:\..`, /dots only/],
  [r`\\.\C:\..\D:\a`, /dots only/],
  [r`\\.\C:\a\..\..\x`, /dots only/],
  ['//?/C:/a/../b', /dots only/],
  [r`\\?\C:\a/b`, /no name can have/],
  [r`\\?\C:/a`, /no file on a drive|no name can have/],
  [r`C:\a\...`, /dots only/],
  [r`C:\a.`, /ends with a dot/],
  [r`C:\a `, /ends with a dot or a space/],
  [r`C:\a. .`, /ends with a dot/],
  [r`C:\.git.`, /ends with a dot/],
  [r`C:\.git \config`, /ends with a dot or a space/],
  [r`\\?\C:\.git.`, /ends with a dot/],
  [r`C:\a.txt:stream`, /stream/],
  [r`C:\a.txt::$DATA`, /stream/],
  [r`C:\a:$I30:$INDEX_ALLOCATION\b`, /stream/],
  [r`C:\a\C:\b`, /stream/],
  ['C::a', /current directory of a drive/],
  [r`C:\CON`, /device/],
  [r`C:\con`, /device/],
  [r`C:\a\NUL\b`, /device/],
  [r`C:\nul.txt`, /device/],
  [r`C:\NUL.tar.gz`, /device/],
  [r`C:\aux .txt`, /device/],
  [r`C:\prn:stream`, /device/],
  [r`C:\COM1`, /device/],
  [r`C:\com¹`, /device/],
  [r`C:\LPT9.x`, /device/],
  [r`C:\lpt³`, /device/],
  [r`C:\CONIN$`, /device/],
  [r`C:\conout$.txt`, /device/],
  [r`C:\CLOCK$`, /device/],
  [`C:\\a\u0000b`, /no name can have/],
  [`C:\\a\nb`, /no name can have/],
  [`C:\\a\u001fb`, /no name can have/],
  [r`C:\a*`, /no name can have/],
  [r`C:\a?`, /no name can have/],
  [r`C:\a"b`, /no name can have/],
  [r`C:\a<b`, /no name can have/],
  [r`C:\a|b`, /no name can have/],
  [`C:\\a\ud800b`, /no name can have/],
  [`C:\\${'a'.repeat(256)}`, /too long/],
  [`C:\\${r`aaaaaaa\ `.trimEnd().repeat(4_000)}x`, /too long/],
  ['ſ:\\a', /not absolute/],
  ['１:\\a', /not absolute/],
]

describe('a path has one spelling', () => {
  test.each(accepted)('%j is %j', (text, path) => {
    expect(canonicalPath(text)).toEqual({ path })
    expect(canonicalPath(path)).toEqual({ path })
  })

  test.each(refused)('%j is refused', (text, fault) => {
    expect(canonicalPath(text)).toEqual({ fault: expect.stringMatching(fault) as string })
  })
})

const letters = 'abzAZ019 .-_~äÄßœŒŸжЖ日ᾀᾈǅǆµ'.split('')
/** Names that the filesystem may hold and Win32 leaves alone. */
const name = fc
  .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 })
  .filter((text) => nameFault(text) === undefined && !/^\.+$/.test(text))
const names = fc.array(name, { maxLength: 6 })
const letter = fc.constantFrom('C', 'd', 'z')

/** One way of writing it that the documented rules take for the same. */
const spelling = (drive: string, parts: readonly string[]): fc.Arbitrary<string> =>
  fc
    .record({
      form: fc.constantFrom('win32', 'verbatim', 'nt', 'device'),
      noise: fc.array(fc.constantFrom('', '.', 'x/..', 'y\\z\\..\\..'), { minLength: parts.length + 1, maxLength: parts.length + 1 }),
      slash: fc.array(fc.constantFrom('\\', '/'), { minLength: parts.length + 1, maxLength: parts.length + 1 }),
      flip: fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
      end: fc.boolean(),
    })
    .map(({ form, noise, slash, flip, end }) => {
      const cased = parts.map((part) =>
        Array.from(part, (character, index) => (flip[index] === true ? swapped(character) : character)).join(''),
      )
      if (form !== 'win32') {
        const prefix = { verbatim: r`\\?` + '\\', nt: r`\??` + '\\', device: r`\\.` + '\\' }[form]
        return `${prefix}${drive}:\\${cased.join('\\')}${end && cased.length > 0 ? '\\' : ''}`
      }
      const pieces = cased.flatMap((part, index) => [...(noise[index] === '' ? [] : [noise[index] ?? '.']), part])
      return `${drive}:${slash[0] ?? '/'}${pieces.map((piece, index) => `${piece}${slash[index % slash.length] ?? '/'}`).join('')}${end ? '.' : ''}`
    })

/** The other case, where it is one unit: what the filesystem takes for the same. */
function swapped(character: string): string {
  const other = character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase()
  return other.length === 1 && other.toLowerCase() === character.toLowerCase() ? other : character
}

describe('for every path', () => {
  test('the spelling of a spelling is itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(letter, names).chain(([drive, parts]) => spelling(drive, parts)),
        ),
        (text) => {
          const once = canonicalPath(text)
          if ('path' in once) expect(canonicalPath(once.path)).toEqual(once)
        },
      ),
    )
  })

  test('what the rules take for the same is the same, and has the same parents', () => {
    const two = fc.tuple(letter, names).chain(([drive, parts]) => fc.tuple(spelling(drive, parts), spelling(drive.toUpperCase(), parts)))
    fc.assert(
      fc.property(two, ([left, right]) => {
        const [one, other] = [canonicalPath(left), canonicalPath(right)]
        if ('fault' in one || 'fault' in other) throw new Error(`refused: ${left} or ${right}`)
        expect(samePath(one.path, other.path)).toBe(true)
        expect(isInside(one.path, other.path)).toBe(true)
        expect(isInside(`${one.path}\\child`, other.path)).toBe(true)
        expect(isInside(other.path, `${one.path}\\child`)).toBe(false)
      }),
    )
  })

  test('other names are other paths', () => {
    fc.assert(
      fc.property(names, names, (left, right) => {
        const [one, other] = [`C:\\${left.join('\\')}`, `C:\\${right.join('\\')}`]
        expect(samePath(one, other)).toBe(foldCase(left.join('\\')) === foldCase(right.join('\\')))
      }),
    )
  })

  test('no letter is lost where the filesystem tells two apart', () => {
    for (const [one, other] of [
      ['a', 'b'],
      ['ä', 'a'],
      ['é', 'e'],
      ['ß', 's'],
      ['o', '0'],
      ['l', '1'],
      ['и', 'й'],
    ] as const) {
      expect(samePath(`C:\\${one}`, `C:\\${other}`)).toBe(false)
    }
    for (const [one, other] of [
      ['ä', 'Ä'],
      ['ж', 'Ж'],
      ['œ', 'Œ'],
      ['ÿ', 'Ÿ'],
      ['ᾀ', 'ᾈ'],
      ['ǆ', 'Ǆ'],
    ] as const) {
      expect(samePath(`C:\\${one}`, `C:\\${other}`)).toBe(true)
    }
  })
})

test.each([
  [r`C:\a\b`, r`C:\a`, true],
  [r`C:\A\b`, r`c:\a`, true],
  [r`C:\a`, r`C:\a`, true],
  [r`C:\ab`, r`C:\a`, false],
  [r`C:\a`, r`C:\a\b`, false],
  [r`C:\a`, 'C:\\', true],
  ['C:\\', 'C:\\', true],
  [r`D:\a`, 'C:\\', false],
])('%j inside %j: %j', (path, directory, inside) => {
  expect(isInside(path, directory)).toBe(inside)
})

test.each([
  ['PROGRA~1', true],
  ['progra~1', true],
  ['SETTIN~1.JSO', true],
  ['GIT~1', true],
  ['A~123456', true],
  ['ABCDEF~12', false],
  ['~1', false],
  ['a~b', false],
  ['file~1.json', false],
  ['name.with~1.x', false],
  ['~$doc.docx', false],
  ['plain', false],
])('%j looks short: %j', (text, short) => {
  expect(looksShort(text)).toBe(short)
})

describe('what only the disk can tell', () => {
  /** A disk with what is on it, and where links and short names lead. */
  const disk =
    (paths: readonly string[], leads: Readonly<Record<string, string>> = {}) =>
    (path: string): string | undefined =>
      leads[path] ?? paths.find((one) => samePath(one, path))
  const real = disk(['C:\\', r`C:\Users`, r`C:\Users\Me`, r`C:\Program Files`, r`C:\Program Files\Git`, r`C:\odd~1`], {
    [r`C:\PROGRA~1`]: r`C:\Program Files`,
    [r`C:\PROGRA~1\git`]: r`C:\Program Files\Git`,
    [r`C:\junction`]: r`C:\Users\Me`,
    [r`C:\junction\x`]: r`C:\Users\Me\x`,
    [r`C:\twin`]: r`C:\Other`,
    'X:\\': r`C:\Users`,
    'N:\\': r`UNC\server\share`,
  })

  test.each([
    [r`c:/users/ME`, { path: r`C:\Users\Me` }],
    [r`C:\users\me\new\file`, { path: r`C:\Users\Me\new\file` }],
    [r`C:\PROGRA~1`, { path: r`C:\Program Files` }],
    [r`C:\PROGRA~1\git`, { path: r`C:\Program Files\Git` }],
    [r`C:\PROGRA~1\git\new`, { path: r`C:\Program Files\Git\new` }],
    [r`C:\ODD~1`, { path: r`C:\odd~1` }],
    ['c:/', { path: 'C:\\' }],
    [r`C:\new`, { path: r`C:\new` }],
    [r`C:\SETTIN~1.JSO`, { fault: 'has a short name that leads nowhere' }],
    [r`C:\new\GIT~1`, { fault: 'has a short name that leads nowhere' }],
    [r`C:\junction`, { fault: r`leads through a link to C:\Users\Me` }],
    [r`C:\junction\x`, { fault: r`leads through a link to C:\Users\Me\x` }],
    [r`C:\twin`, { fault: r`leads through a link to C:\Other` }],
    [r`X:\Me`, { fault: r`leads through a link to C:\Users` }],
    [r`N:\a`, { fault: r`leads through a link to UNC\server\share` }],
    [r`Q:\a`, { fault: 'is on a drive that does not exist' }],
    [r`\\server\share`, { fault: 'names another computer' }],
  ])('%j', (text, answer) => {
    expect(resolvePath(text, real)).toEqual(answer)
  })
})
