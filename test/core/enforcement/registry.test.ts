import { expect, test } from 'vitest'
import type { LayerPlugin } from '../../../core/contracts/layer.ts'
import { nearest } from '../../../core/contracts/nearest.ts'
import { contractFaults, LayerRegistry } from '../../../core/enforcement/registry.ts'
import { fakeLayer } from '../../support/fake-layer.ts'

const good = fakeLayer('token')

test('a plugin that fulfils its contract has no faults and is found', () => {
  expect(contractFaults('token-fake', good)).toEqual([])
  const registry = new LayerRegistry(new Map([['token-fake', good]]))
  expect(registry.get('token', 'token-fake')).toBe(good)
  expect(registry.find('token-other')).toBeUndefined()
})

test.each<readonly [string, unknown, readonly string[]]>([
  ['token-fake', null, ['it is not an object']],
  ['token-fake', { ...good, id: 'token-real' }, ['it calls itself "token-real"']],
  ['Token', { ...good, id: 'Token' }, ['its id is not of the form <layer>-<mechanism>']],
  ['../x-y', { ...good, id: '../x-y' }, ['its id is not of the form <layer>-<mechanism>']],
  ['token-fake', { ...good, layer: 'disk' }, ['its layer is none of filesystem, token, network, interception']],
  ['token-fake', { ...good, contract: 2 }, ['it is written for contract 2, this is 1']],
  ['token-fake', { ...good, options: { strict: true } }, ['options is not a zod type']],
  ['token-fake', { ...good, provides: 'x' }, ['provides is not a list of names']],
  ['token-fake', { ...good, requires: [1] }, ['requires is not a list of names']],
  ['token-fake', { ...good, probe: undefined, recover: 'later' }, ['probe is not a function', 'recover is not a function']],
  ['token-fake', { ...good, setup: { describe: () => [] } }, ['setup has no describe, install and remove']],
])('%s %#', (id, plugin, faults) => {
  expect(contractFaults(id, plugin)).toEqual(faults)
  const registry = new LayerRegistry(new Map([[id, plugin as LayerPlugin]]))
  if (plugin !== null) expect(() => registry.find(id)).toThrow(expect.objectContaining({ code: 'plugin_invalid' }))
})

test('a broken plugin does not stop those who use another', () => {
  const registry = new LayerRegistry(
    new Map([
      ['token-fake', good],
      ['token-broken', {} as LayerPlugin],
    ]),
  )
  expect(registry.get('token', 'token-fake')).toBe(good)
  expect(() => registry.get('token', 'token-brokem')).toThrow(
    expect.objectContaining({
      code: 'plugin_unknown',
      message: 'token plugin "token-brokem" is not installed',
      // It has no layer, so it is not offered.
      details: { plugin: 'token-brokem', remedy: 'Installed for this layer: token-fake.' },
    }),
  )
})

test.each([
  ['fs-veiw', ['fs-view', 'fs-none'], 'fs-view'],
  ['fs-non', ['fs-view', 'fs-none'], 'fs-none'],
  ['gateway', ['fs-view', 'fs-none'], undefined],
  ['', ['fs-view'], undefined],
])('nearest(%s)', (name, candidates, meant) => {
  expect(nearest(name, candidates)).toBe(meant)
})
