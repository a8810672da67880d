import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InterceptRunner } from '../support/intercept-runner.ts'

let runner: InterceptRunner

beforeAll(async () => {
  runner = await InterceptRunner.build(['-fsanitize=address,undefined', '-fno-sanitize-recover=all'])
})
afterAll(() => runner[Symbol.dispose]())

/** The same language by way of a regular expression: slower and obviously right. */
function reference(pattern: string): RegExp {
  const token = /(?<=^|\/)\*{2,}\/|\*{2,}|\*|\\.|[\s\S]/gy
  const source = (pattern.match(token) ?? []).map((part) => {
    if (part.startsWith('**')) return part.endsWith('/') ? '(?:[^/]*/)*' : '[^]*'
    if (part === '*') return '[^/]*'
    return (part.length === 2 ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`)
}

describe('the glob matcher', () => {
  test.each([
    ['/usr/bin/curl', '/usr/bin/curl', true],
    ['/usr/bin/curl', '/usr/bin/curlx', false],
    ['/usr/bin/*', '/usr/bin/curl', true],
    ['/usr/*', '/usr/bin/curl', false],
    ['/usr/**', '/usr/bin/curl', true],
    ['/usr/**', '/usr', false],
    ['/usr/**/curl', '/usr/curl', true],
    ['/usr/**/curl', '/usr/a/b/curl', true],
    ['/usr/**/curl', '/usr/acurl', false],
    ['**/curl', '/usr/bin/curl', true],
    ['**', '/', true],
    ['*', '/', false],
    ['*:443', '10.0.0.1:443', true],
    ['[2001:db8::*]:*', '[2001:db8::1]:22', true],
    ['/a/\\*', '/a/*', true],
    ['/a/\\*', '/a/b', false],
    ['/a\\', '/a\\', true],
    ['', '', true],
    ['', 'a', false],
  ] as const)('%j on %j is %j', async (pattern, text, expected) => {
    expect(await runner.glob([[pattern, text]])).toEqual([expected])
  })

  test('agrees with the regular expression on every short pattern and text', async () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', '*', '**', '**/', '/**/', '\\*', '\\a'), { maxLength: 9 })
      .map((parts) => parts.join(''))
    const text = fc.array(fc.constantFrom('a', 'b', '/', '*', 'a/', 'b/'), { maxLength: 12 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(pattern, text), { minLength: 300, maxLength: 600 }), async (pairs) => {
        expect(await runner.glob(pairs)).toEqual(pairs.map(([pattern, text]) => reference(pattern).test(text)))
      }),
      { numRuns: 25 },
    )
  })

  test('a hostile text cannot make it slow', async () => {
    const started = performance.now()
    expect(await runner.glob([[`**${'a*'.repeat(50)}b`, 'a'.repeat(4095)]])).toEqual([false])
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
