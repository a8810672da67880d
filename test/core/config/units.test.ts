import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../core/config/units.ts'

test.each<readonly [string, number | undefined]>([
  ['500ms', 500],
  ['30s', 30_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['1h30m', 5_400_000],
  ['1m500ms', 60_500],
  ...['', '5', '0s', '1.5h', '-1s', '1 s', '30m1h', '1h1h', '1w', '99999d', '1H'].map((text) => [text, undefined] as const),
])('duration %j', (text, expected) => {
  expect(parseDuration(text)).toBe(expected)
})

test.each<readonly [string, number | undefined]>([
  ['1B', 1],
  ['64KB', 64_000],
  ['512MB', 512_000_000],
  ['1GiB', 2 ** 30],
  ...['', '5', '0B', '1.5GB', '-1B', '1 MB', '1mb', '999999999TB'].map((text) => [text, undefined] as const),
])('size %j', (text, expected) => {
  expect(parseSize(text)).toBe(expected)
})

test('what is formatted is read as the same', () => {
  const duration = fc.integer({ min: 1, max: 3e11 })
  fc.assert(fc.property(duration, (ms) => parseDuration(formatDuration(ms)) === ms))
  const size = fc.tuple(fc.integer({ min: 1, max: 999_999 }), fc.constantFrom(1, 1000, 1024, 1e6, 2 ** 20))
  fc.assert(fc.property(size, ([count, unit]) => parseSize(formatSize(count * unit)) === count * unit))
})
