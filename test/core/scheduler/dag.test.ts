import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { orderByNeeds } from '../../../core/scheduler/dag.ts'

const graph = (needs: Record<string, string[]>): ReturnType<typeof orderByNeeds> => orderByNeeds(new Map(Object.entries(needs)))

test('needs come first, otherwise the order stays', () => {
  expect(graph({ c: ['a'], a: [], b: [], d: ['c', 'b'] })).toEqual({ order: ['a', 'c', 'b', 'd'] })
  expect(graph({ a: ['elsewhere'] })).toEqual({ order: ['a'] })
  expect(graph({})).toEqual({ order: [] })
})

test('a circle is named from a job back to itself', () => {
  expect(graph({ start: ['a'], a: ['b'], b: ['c'], c: ['a'] })).toEqual({ cycle: ['a', 'b', 'c', 'a'] })
  expect(graph({ a: ['a'] })).toEqual({ cycle: ['a', 'a'] })
})

test('a chain of 100,000 jobs does not exhaust the stack', () => {
  const chain = new Map(Array.from({ length: 100_000 }, (_, index) => [`j${index}`, [`j${index + 1}`]]))
  const sorted = orderByNeeds(chain)
  expect('order' in sorted && sorted.order.length).toBe(100_000)
})

test('any graph has either a valid order or a real circle', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const needs = fc.array(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }), { minLength: 6, maxLength: 6 })
  let circles = 0
  fc.assert(
    fc.property(needs, (lists) => {
      const map = new Map(names.map((name, index) => [name, lists[index] ?? []]))
      const sorted = orderByNeeds(map)
      if ('cycle' in sorted) {
        circles += 1
        expect(sorted.cycle.length).toBeGreaterThan(1)
        expect(sorted.cycle[0]).toBe(sorted.cycle.at(-1))
        for (const [index, name] of sorted.cycle.slice(0, -1).entries()) expect(map.get(name)).toContain(sorted.cycle[index + 1])
      } else {
        expect(new Set(sorted.order)).toEqual(new Set(names))
        for (const [index, name] of sorted.order.entries())
          for (const need of map.get(name) ?? []) expect(sorted.order.indexOf(need)).toBeLessThan(index)
      }
    }),
  )
  expect(circles).toBeGreaterThan(0)
})
