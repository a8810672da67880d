import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { attackAll, refused } from '../../core/contracts/index.ts'
import type { AppliedLayer, Availability, Host, LaunchSpec, LayerPlugin, Probe } from '../../core/contracts/index.ts'
import { optionsSchema, planClosed, pluginId, readData } from './plan.ts'
import type { ClosedOptions } from './plan.ts'

/**
 * A small layer plugin to begin from: no network at all. It is complete, and passes the conformance suite of its layer.
 */
const plugin: LayerPlugin<ClosedOptions> = {
  id: pluginId,
  layer: 'network',
  contract: 1,
  options: optionsSchema,
  // Names other layers may ask for, and names this one needs of them. Core matches them without knowing what they mean.
  provides: ['network-namespace'],
  requires: ['user-namespace'],
  probe,
  plan: planClosed,
  apply: async (plan) => {
    readData(plan.data)
    // A side effect that would outlive this process (a file, a rule, an account) needs `await context.record(receipt)` first, and
    // `recover` undoes it from that receipt alone. A listening socket is gone with the process, so there is nothing to record.
    return new Closed(await listen())
  },
  recover: () => Promise.resolve(),
}

export default plugin

/** Asks what really works, and says what can be done where it does not. */
async function probe(host: Host): Promise<Availability> {
  const { ok, reason } = await host.can('network-namespace')
  if (ok) return { usable: true, tier: 'full', detail: 'own network namespace, loopback only' }
  return { usable: false, reason: `network-namespace: ${reason}`, remedy: 'Allow network namespaces (sysctl user.max_net_namespaces).' }
}

class Closed implements AppliedLayer {
  /** Something on the host that the agent must not reach: an attack needs a target that would answer. */
  readonly #target: Server

  constructor(target: Server) {
    this.#target = target
  }

  /** Adds this layer's part and changes nothing else. The native module does the work. */
  contribute(spec: LaunchSpec): LaunchSpec {
    return { ...spec, network: { mechanism: 'linux-netns', anyAddress: false, listeners: [] } }
  }

  /** Attacks the wall from inside. Only the errors that the wall itself causes count: another one proves nothing. */
  verify(probe: Probe): ReturnType<AppliedLayer['verify']> {
    const address = this.#target.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return attackAll(probe, [
      refused('host-unreachable', [{ op: 'connect', address: '127.0.0.1', port }], ['ECONNREFUSED', 'ENETUNREACH']),
      // RFC 5737 and RFC 3849: addresses that belong to nobody.
      refused(
        'no-route',
        ['192.0.2.1', '2001:db8::1'].map((outside) => ({ op: 'connect', address: outside, port: 443 })),
        ['ENETUNREACH'],
      ),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#target.listening) return
    await new Promise((resolve) => this.#target.close(resolve))
  }
}

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  return server
}
