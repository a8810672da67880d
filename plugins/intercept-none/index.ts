import { z } from 'zod'
import type { LayerPlugin } from '../../core/contracts/index.ts'

const options = z.strictObject({})

/** No interception layer: every system call is open and no rule is answered. Must be asked for by name. */
const plugin: LayerPlugin<z.infer<typeof options>> = {
  id: 'intercept-none',
  layer: 'interception',
  contract: 1,
  options,
  provides: [],
  requires: [],
  probe: () => Promise.resolve({ usable: true, tier: 'none', detail: 'enforces nothing: every system call is open, nothing is reported' }),
  plan: (policy) => ({
    plugin: 'intercept-none',
    layer: 'interception',
    tier: 'none',
    enforces: [],
    unsupported: [],
    steps: [
      'every system call is open, nothing is reported',
      ...(policy.interception.length === 0 ? [] : ['the interception rules have no effect']),
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
