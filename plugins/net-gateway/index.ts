import { closeSync } from 'node:fs'
import type { AppliedLayer, ApplyContext, Availability, Host, LaunchSpec, LayerPlugin, Probe, Sandbox } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { compiledRules } from '../../gateway/policy.ts'
import { proxyVariables } from '../../gateway/proxy-variables.ts'
import { Gateway } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import type { GatewayData } from './plan.ts'
import { connectionPorts, networkPart, planGateway, pluginId, readData } from './plan.ts'
import { verifyGateway } from './verify.ts'

/**
 * Own network namespace whose every address is local, and a gateway outside it that is the only way on (AnyIP).
 *
 * Holds without the co-operation of any program: there is no other interface and no route. What it cannot see: what travels inside TLS to
 * an allowed host (domain fronting), and data in the names below an allowed `*.domain`.
 */
const plugin: LayerPlugin<GatewayOptions> = {
  id: pluginId,
  layer: 'network',
  contract: 1,
  options: optionsSchema,
  provides: ['network-namespace', 'name-server'],
  requires: ['user-namespace'],
  probe,
  plan: (policy, options) => planGateway(policy.network, options),
  apply: (plan, context) => Promise.resolve(new AppliedGateway(readData(plan.data), context)),
  // The gateway lives in this process and its sockets in the job's namespace: both end with them, so no receipt is ever written.
  recover: () => Promise.resolve(),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  const remedy =
    'Allow user and network namespaces (sysctl user.max_user_namespaces, user.max_net_namespaces), or choose another network layer.'
  for (const feature of ['network-namespace', 'any-address'] as const) {
    const { ok, reason } = await host.can(feature)
    if (!ok) return { usable: false, reason: `${feature}: ${reason}`, remedy }
  }
  return { usable: true, tier: 'full', detail: 'own network namespace, every connection decided by the gateway' }
}

class AppliedGateway implements AppliedLayer {
  readonly #gateway: Gateway
  readonly #ports: readonly number[]
  readonly #options: GatewayOptions

  constructor(data: GatewayData, context: ApplyContext) {
    const rules = compiledRules(data.rules)
    const { options } = data
    this.#options = options
    this.#ports = connectionPorts(rules, options)
    this.#gateway = new Gateway({
      plugin: pluginId,
      rules,
      options,
      proxyPort: options.proxyPort,
      report: (denial) => context.report(denial),
    })
  }

  contribute(spec: LaunchSpec): LaunchSpec {
    const { proxyPort, proxyVariables: wanted } = this.#options
    const variables = wanted && proxyPort !== null ? proxyVariables(`http://127.0.0.1:${proxyPort}`) : {}
    const environment = { ...spec.command.environment, ...variables }
    return { ...spec, command: { ...spec.command, environment }, network: networkPart(this.#ports) }
  }

  /** Takes over the listeners; the job finds the gateway serving when it starts. */
  async attach(sandbox: Sandbox): Promise<void> {
    const [names, ...connections] = sandbox.listeners
    if (names === undefined || connections.length !== this.#ports.length) {
      throw new BulkheadError(
        'plugin_failed',
        `the sandbox has ${sandbox.listeners.length} listeners instead of ${this.#ports.length + 1}`,
        {
          plugin: pluginId,
          operation: 'attach',
        },
      )
    }
    await this.#gateway.serveNames(names)
    for (const [index, descriptor] of connections.entries()) {
      await this.#gateway.serveConnections(descriptor).catch((error: unknown) => {
        // Nobody else takes them.
        for (const rest of connections.slice(index + 1)) closeSync(rest)
        throw error
      })
    }
  }

  verify(probe: Probe): ReturnType<typeof verifyGateway> {
    return verifyGateway(this.#gateway, this.#ports, probe)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#gateway[Symbol.asyncDispose]()
  }
}
