import { z } from 'zod'
import type { LayerPlugin } from '../../core/contracts/index.ts'

const options = z.strictObject({})

/** No token layer: the agent is whoever started Bulkhead. Must be asked for by name. */
const plugin: LayerPlugin<z.infer<typeof options>> = {
  id: 'token-none',
  layer: 'token',
  contract: 1,
  options,
  provides: [],
  requires: [],
  probe: () =>
    Promise.resolve({ usable: true, tier: 'none', detail: 'enforces nothing: the agent has the identity of whoever started Bulkhead' }),
  plan: () => ({
    plugin: 'token-none',
    layer: 'token',
    tier: 'none',
    enforces: [],
    unsupported: [],
    steps: ['the agent runs with the identity, groups and capabilities of whoever started Bulkhead'],
    data: null,
  }),
  apply: () =>
    Promise.resolve({
      contribute: (spec) => spec,
      verify: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  recover: () => Promise.resolve(),
}

export default plugin
