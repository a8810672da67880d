import { describe, expect, test } from 'vitest'
import type { Host, LayerPlan, NetworkRule, PlanContext } from '../../../core/contracts/index.ts'
import { decide } from '../../../core/enforcement/plan.ts'
import { wfpPlugin } from '../../../plugins/net-wfp/plugin.ts'
import { fakeEnvironment, fakeLayer } from '../../support/fake-layer.ts'
import { emptyPolicy, fakeHost, planContext } from '../../support/fake-request.ts'
import { FakeFiltering } from './fake-filtering.ts'

const plugin = wfpPlugin(new FakeFiltering())
const usable = { usable: true, tier: 'partial', detail: '' } as const
const unusable = { usable: false, reason: 'filtering-platform: FwpmProviderAdd0: EACCES', remedy: 'Set up.', degradable: true } as const

function plan(change: Partial<PlanContext>, allow: readonly NetworkRule[] = [], options: unknown = {}): LayerPlan {
  return plugin.plan(
    { ...emptyPolicy, network: { allow } },
    plugin.options.parse(options),
    planContext({ availability: usable, ...change }),
  )
}

const options = { hosts: {}, resolver: null, maxConnections: 512, encryptedClientHello: 'refuse', proxyVariables: true }

test('with an account: filters, and what they do not hold is said', () => {
  expect(plan({ capabilities: ['account'] }, [{ host: 'example.com', port: null }])).toEqual({
    plugin: 'net-wfp',
    layer: 'network',
    tier: 'partial',
    enforces: [
      {
        id: 'only-the-gateway-answers',
        text: 'Every connection but the one to the job’s gateway is refused by the kernel, over IPv4 and IPv6.',
      },
      { id: 'host-loopback-unreachable', text: 'Services on the loopback of this machine cannot be reached.' },
      { id: 'nothing-listens', text: 'The agent cannot take connections.' },
      { id: 'no-datagrams', text: 'The agent cannot send or receive datagrams: no DNS, no QUIC.' },
      { id: 'gateway-is-the-jobs-own', text: 'The gateway serves nobody but this job.' },
    ],
    unsupported: [],
    steps: [
      'gateway: HTTP proxy on 127.0.0.1, on a free port, with credentials of this job',
      'http_proxy, https_proxy and no_proxy name it',
      'allowed: example.com',
      'filters on the agent’s account, IPv4 and IPv6: connecting, accepting, listening, datagrams and raw sockets are refused, but for TCP to that port',
      'not held: what services of the system do for the agent. The DNS client service looks names up, and file sharing connects to \\\\host\\share; neither acts under the agent’s account',
    ],
    data: { rules: [{ host: 'example.com', port: null }], options, walled: true },
  })
})

test('rules that the gateway cannot hold are unsupported', () => {
  expect(plan({ capabilities: ['account'] }, [{ host: 'localhost', port: null }]).unsupported).toEqual([
    expect.stringMatching(/^network\.allow: localhost: /),
  ])
})

describe('without what it takes to filter', () => {
  test.each([
    ['no account', { capabilities: ['pid-namespace'] }, 'no other layer gives the agent an account, which is what filters match'],
    [
      'no right to set filters',
      { capabilities: ['account'], availability: unusable },
      'no filter can be set here (filtering-platform: FwpmProviderAdd0: EACCES)',
    ],
  ] as const)('%s: nothing is claimed, and everything is said to be open', (_, change, why) => {
    const { tier, enforces, unsupported, steps, data } = plan(change, [{ host: 'localhost', port: null }], { proxyVariables: false })
    expect({ tier, enforces, data }).toMatchObject({ tier: 'none', enforces: [], data: { walled: false } })
    expect(unsupported).toEqual([
      `anything: ${why}, so programs are only asked to use the gateway`,
      expect.stringMatching(/^network\.allow: localhost: /),
    ])
    expect(steps).toContain('no filter is set: connections that do not go through the gateway are not seen')
    expect(steps).toContain('no variable names it')
  })

  const decided = (account: boolean, availability: typeof usable | typeof unusable, degrade: boolean) => {
    const token = fakeLayer('token', { provides: account ? ['account'] : [] })
    const chosen = (['filesystem', 'token', 'network', 'interception'] as const).map((layer) => ({
      layer,
      plugin: layer === 'network' ? plugin : layer === 'token' ? token : fakeLayer(layer),
      options: {},
      availability: layer === 'network' ? availability : ({ usable: true, tier: 'full', detail: '' } as const),
    }))
    return decide(fakeEnvironment(degrade ? ['network'] : []), chosen, {
      planOf: (one, capabilities) =>
        one.plugin.plan(
          emptyPolicy,
          one.plugin.options.parse({}),
          planContext({ availability: one.availability, capabilities: [...capabilities] }),
        ),
      providersOf: () => [],
    })
  }

  test('a job starts there only where the layer is degraded in writing, and is called degraded', () => {
    expect(decided(true, usable, false).degraded).toEqual([])
    expect(() => decided(false, usable, false)).toThrow(
      /network \(net-wfp\) cannot hold: anything: no other layer gives the agent an account/,
    )
    expect(() => decided(true, unusable, false)).toThrow(/network \(net-wfp\) cannot work here: filtering-platform/)
    expect(decided(false, usable, true).degraded).toEqual(['network'])
    expect(decided(true, unusable, true).degraded).toEqual(['network'])
    // Degrading what holds changes nothing.
    expect(decided(true, usable, true).degraded).toEqual([])
  })
})

describe('the probe', () => {
  const host = (change: Partial<Host>): Host => ({ ...fakeHost, platform: 'win32', ...change })

  test('asks whether filters can be set', async () => {
    const asked: string[] = []
    const can = (feature: string) => (asked.push(feature), Promise.resolve({ ok: true, level: 0, reason: '' }))
    expect(await plugin.probe(host({ can }))).toMatchObject({ usable: true, tier: 'partial' })
    expect(asked).toEqual(['filtering-platform'])
  })

  test('says what to do where they cannot, and that the gateway is of use all the same', async () => {
    const can = () => Promise.resolve({ ok: false, level: 0, reason: 'FwpmProviderAdd0: EACCES' })
    expect(await plugin.probe(host({ can }))).toEqual({
      usable: false,
      reason: 'filtering-platform: FwpmProviderAdd0: EACCES',
      remedy: 'Run `bulkhead setup windows` once, as an administrator: it lets you set network filters.',
      degradable: true,
    })
  })

  test('is a plain no on another system', async () => {
    const availability = await plugin.probe(host({ platform: 'linux' }))
    expect(availability).toMatchObject({ usable: false })
    expect(availability).not.toHaveProperty('degradable')
  })
})
