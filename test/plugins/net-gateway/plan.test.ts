import { describe, expect, test } from 'vitest'
import type { LaunchSpec, LayerPlan, NetworkRule, Policy } from '../../../core/contracts/index.ts'
import gateway from '../../../plugins/net-gateway/index.ts'
import none from '../../../plugins/net-none/index.ts'
import { applyContext, planContext } from '../../support/fake-request.ts'

const context = planContext()

function policy(...allow: NetworkRule[]): Policy {
  return {
    filesystem: { read: [], write: [], deny: [] },
    network: { allow },
    interception: [],
    limits: { timeMs: null, stallMs: null, outputBytes: null, processes: null, openFiles: null, temporaryBytes: null },
    environment: {},
  }
}

function plan(options: unknown, ...allow: NetworkRule[]): LayerPlan {
  return gateway.plan(policy(...allow), gateway.options.parse(options), context)
}

const spec: LaunchSpec = {
  command: { argv: ['true'], directory: '/w', environment: { PATH: '/bin' } },
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

async function contribution(from: LayerPlan): Promise<LaunchSpec> {
  const applied = await gateway.apply(from, applyContext())
  await using _ = applied
  return applied.contribute(spec)
}

describe('net-gateway', () => {
  test('plans what it will do', () => {
    expect(plan({}, { host: 'example.com', port: null }, { host: '*.git.test', port: 22 })).toEqual({
      plugin: 'net-gateway',
      layer: 'network',
      tier: 'full',
      enforces: ['no-way-but-the-gateway', 'host-loopback-unreachable', 'private-networks-unreachable', 'names-decided-by-policy'].map(
        (id) => ({
          id,
          text: expect.any(String) as string,
        }),
      ),
      unsupported: [],
      steps: [
        'own network namespace: loopback only, every address local to it',
        "TCP listeners of the gateway on ports 22, 53, 80, 443, 3128; the agent's own servers need other ports",
        'names are answered by the gateway with synthetic addresses out of 198.18.0.0/15',
        'allowed: example.com, *.git.test:22',
        'HTTP proxy for programs that want one: http://127.0.0.1:3128',
      ],
      data: {
        rules: [
          { host: 'example.com', port: null },
          { host: '*.git.test', port: 22 },
        ],
        options: { hosts: {}, resolver: null, proxyVariables: false, proxyPort: 3128, maxConnections: 512, encryptedClientHello: 'refuse' },
      },
    })
  })

  test('a plan survives being stored', async () => {
    const stored = JSON.parse(JSON.stringify(plan({ hosts: { 'a.test': '127.0.0.1:1' } }, { host: 'a.test', port: 99 }))) as LayerPlan
    expect((await contribution(stored)).network).toEqual({
      mechanism: 'linux-netns',
      anyAddress: true,
      listeners: [{ protocol: 'udp', port: 53 }, ...[53, 80, 99, 443, 3128].map((port) => ({ protocol: 'tcp', port }))],
    })
  })

  test('says what it cannot hold', () => {
    const { unsupported } = plan({}, { host: '127.0.0.1', port: 5432 }, { host: '*', port: null }, { host: 'ok.test', port: null })
    expect(unsupported).toEqual([
      "network.allow: 127.0.0.1: it is the job's own; give the service a name, set it in the layer's option `hosts` and allow that name",
      'network.allow: *: not a host name or IP address',
    ])
    const many = Array.from({ length: 70 }, (_, index) => ({ host: 'ok.test', port: 1000 + index }))
    expect(plan({}, ...many).unsupported).toEqual(['network.allow: more than 31 different ports'])
  })

  test('proxy variables are set when asked for, nothing else changes', async () => {
    expect((await contribution(plan({}))).command).toEqual(spec.command)
    const { network, ...rest } = await contribution(plan({ proxyVariables: true, proxyPort: 8118 }))
    expect(network?.mechanism === 'linux-netns' && network.listeners.map(({ port }) => port)).toEqual([53, 53, 80, 443, 8118])
    const url = 'http://127.0.0.1:8118'
    const own = 'localhost,127.0.0.1,::1'
    const environment = { PATH: '/bin', HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NO_PROXY: own, no_proxy: own }
    expect({ ...rest, network: null }).toEqual({ ...spec, command: { ...spec.command, environment } })
  })

  test.each([
    [{ hosts: { 'a b': '127.0.0.1' } }],
    [{ hosts: { '127.0.0.1': '127.0.0.1' } }],
    [{ hosts: { 'a.test': 'b.test' } }],
    [{ hosts: { 'a.test': '127.1' } }],
    [{ resolver: [] }],
    [{ resolver: ['dns.test'] }],
    [{ proxyPort: 80 }],
    [{ maxConnections: 0 }],
    [{ unknown: true }],
  ])('options %j are refused', (options) => {
    expect(gateway.options.safeParse(options).success).toBe(false)
  })

  test('probes what it needs, and says why not', async () => {
    expect(await gateway.probe(context.host)).toMatchObject({ usable: true, tier: 'full' })
    const without = {
      ...context.host,
      can: (feature: string) => Promise.resolve({ ok: feature !== 'any-address', level: 0, reason: 'route: EPERM' }),
    }
    expect(await gateway.probe(without)).toMatchObject({ usable: false, reason: 'any-address: route: EPERM' })
  })

  test('refuses a sandbox with other listeners than it asked for', async () => {
    const applied = await gateway.apply(plan({}), applyContext())
    await using _ = applied
    await expect(applied.attach?.({ listeners: [] } as never)).rejects.toMatchObject({ code: 'plugin_failed' })
  })
})

describe('net-none', () => {
  test('enforces nothing and says so', () => {
    expect(none.plan(policy({ host: 'ok.test', port: null }), {}, context)).toEqual({
      plugin: 'net-none',
      layer: 'network',
      tier: 'none',
      enforces: [],
      unsupported: [],
      steps: ['the agent uses the network of this machine, all of it', 'network.allow has no effect'],
      data: null,
    })
  })
})
