import { z } from 'zod'
import type { LayerPlugin } from '../../core/contracts/index.ts'

const options = z.strictObject({})

/** No network layer: the agent has the network of whoever started Bulkhead. Must be asked for by name. */
const plugin: LayerPlugin<z.infer<typeof options>> = {
  id: 'net-none',
  layer: 'network',
  contract: 1,
  options,
  provides: [],
  requires: [],
  probe: () => Promise.resolve({ usable: true, tier: 'none', detail: 'enforces nothing: the agent has the network of this machine' }),
  plan: (policy) => ({
    plugin: 'net-none',
    layer: 'network',
    tier: 'none',
    enforces: [],
    unsupported: [],
    steps: [
      'the agent uses the network of this machine, all of it',
      ...(policy.network.allow.length === 0 ? [] : ['network.allow has no effect']),
    ],
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
