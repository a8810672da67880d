import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainJson } from '../../../core/enforcement/plain-json.ts'

test('whatever JSON can hold comes out as JSON would give it back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.stringify(plainJson(value))).toBe(JSON.stringify(value))
    }),
  )
})

test('the copy shares nothing with the original, and the same object may stand in two places', () => {
  const shared = { a: [1] }
  const copied = plainJson({ x: shared, y: shared }) as { x: typeof shared; y: typeof shared }
  shared.a.push(2)
  expect(copied).toEqual({ x: { a: [1] }, y: { a: [1] } })
})

test('properties that are undefined are dropped; a key named __proto__ stays data', () => {
  expect(plainJson({ a: undefined, b: 1 })).toEqual({ b: 1 })
  const copied = plainJson(JSON.parse('{"__proto__": {"polluted": true}}')) as Record<string, unknown>
  expect(Object.keys(copied)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

const circle: Record<string, unknown> = {}
circle['self'] = { circle }

test.each<readonly [unknown, string]>([
  [{ a: [1, new Map()] }, 'value.a[1] is not a plain object'],
  [new Date(0), 'value is not a plain object'],
  [[undefined], 'value[0] is of type undefined, which JSON cannot hold'],
  [Number.NaN, 'value is NaN, which JSON cannot hold'],
  [{ a: 1n }, 'value.a is of type bigint, which JSON cannot hold'],
  [{ a: Symbol('x') }, 'value.a is of type symbol, which JSON cannot hold'],
  [circle, 'value.self.circle contains itself'],
])('refused %#', (value, message) => {
  expect(() => plainJson(value)).toThrow(new TypeError(message))
})
