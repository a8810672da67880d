import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeJson, escapeLine, escapeText } from '../../../core/cli/render/escape.ts'

test.each([
  ['plain', 'plain'],
  ['\u001b[2J', '^[[2J'],
  ['\u001b]0;title\u0007', '^[]0;title^G'],
  ['\u009b31m', '<U+009B>31m'],
  ['a\rb', 'a^Mb'],
  ['a\bb\u007f', 'a^Hb^?'],
  ['ab\u202Etxt.exe', 'ab<U+202E>txt.exe'],
  ['\u200bx\ufeff', '<U+200B>x<U+FEFF>'],
  ['\u{e0041}', '<U+E0041>'],
  ['\u2028', '<U+2028>'],
  ['\ud800', '<U+D800>'],
  ['日本 é 🚢', '日本 é 🚢'],
])('%j', (text, expected) => {
  expect(escapeLine(text)).toBe(expected)
  expect(escapeText(text)).toBe(expected)
})

test('newlines and tabs stay in texts, not in lines', () => {
  expect(escapeText('a\tb\nc')).toBe('a\tb\nc')
  expect(escapeLine('a\tb\nc')).toBe('a^Ib^Jc')
})

test('long lines are cut', () => {
  expect(escapeLine('x'.repeat(50), 10)).toBe(`${'x'.repeat(10)}…`)
})

describe('whatever comes in', () => {
  const anything = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\u001b', '\u009b', '\u0007', '\r', '\n', '\u202e', '\u200b', '[', '\ud83d'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  })
  // Written apart from the implementation: what a terminal could act on.
  const active = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/u

  test('nothing that a terminal acts on comes out', () => {
    fc.assert(
      fc.property(anything, (text) => !active.test(escapeLine(text)) && !active.test(escapeText(text).replaceAll(/[\n\t]/g, ''))),
      { numRuns: 3000 },
    )
  })
  test('JSON means the same and holds nothing active', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const json = escapeJson({ text })
        return !active.test(json) && (JSON.parse(json) as { text: string }).text === text
      }),
      { numRuns: 3000 },
    )
  })
})
