import { expect, test } from 'vitest'
import { layers } from '../../core/contracts/index.ts'
import { environmentsOf } from '../../plugins/environments.ts'
import { builtInEnvironments, layerPlugins } from '../../plugins/index.ts'

test('what is built in exists, each plugin for its layer', () => {
  const named = Object.values(builtInEnvironments.plugins).flatMap((chosen) => layers.map((layer) => [layer, chosen[layer]]))
  expect(named.filter(([layer, id]) => layerPlugins.get(id ?? '')?.layer !== layer)).toEqual([])
})

test('every system has a usual environment, and none by name', () => {
  for (const system of ['linux', 'win32'] as const) {
    const { usual, plugins } = environmentsOf(system)
    expect(Object.keys(plugins)).toContain(usual)
    expect(usual).not.toBe('none')
    expect(plugins).toHaveProperty('none')
  }
})
