import { describe, expect, test } from 'vitest'
import { layers } from '../../../core/contracts/layer.ts'
import type { Availability, Layer, LayerPlan, Tier } from '../../../core/contracts/layer.ts'
import { decide } from '../../../core/enforcement/plan.ts'
import type { ChosenLayer } from '../../../core/enforcement/plan.ts'
import { fakeEnvironment, fakeLayer } from '../../support/fake-layer.ts'
import type { FakeLayerOptions } from '../../support/fake-layer.ts'

const usable = (tier: Tier): Availability => ({ usable: true, tier, detail: 'fake' })

const no = (reason: string, remedy: string): Case => ({ availability: { usable: false, reason, remedy } })

const open = (reason: string): Case => ({
  tier: 'none',
  availability: { usable: false, reason, remedy: 'Run setup.', degradable: true },
})

interface Case extends FakeLayerOptions {
  readonly tier?: Tier
  readonly unsupported?: readonly string[]
}

function planOf(layer: Layer, { tier = 'full', unsupported = [] }: Case): LayerPlan {
  const enforces = tier === 'none' ? [] : [{ id: 'holds', text: 'it holds' }]
  return { plugin: `${layer}-fake`, layer, tier, enforces, unsupported, steps: [], data: null }
}

/** What each plan was told of the capabilities of the others. */
const told = new Map<Layer, readonly string[]>()

function outcome(cases: Partial<Record<Layer, Case>>, degrade: readonly Layer[] = [], providers: readonly string[] = []) {
  const chosen = layers.map((layer): ChosenLayer => {
    const one = cases[layer] ?? {}
    return { layer, plugin: fakeLayer(layer, one), options: {}, availability: one.availability ?? usable(one.tier ?? 'full') }
  })
  return decide(fakeEnvironment(degrade), chosen, {
    planOf: ({ layer }, capabilities) => {
      told.set(layer, capabilities)
      return planOf(layer, cases[layer] ?? {})
    },
    providersOf: () => providers,
  })
}

const plansOf = (cases: Partial<Record<Layer, Case>>) => layers.map((layer) => planOf(layer, cases[layer] ?? {}))
const refusal = (work: () => unknown) => {
  try {
    return { planned: work() }
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: { remedy?: string; plugin?: string } }
    return { code, message, ...details }
  }
}

test('full layers that hold everything are planned in order', () => {
  expect(outcome({})).toEqual({ layers: plansOf({}), degraded: [] })
})

describe('unsupported parts', () => {
  const cases = { network: { unsupported: ['UDP', 'ICMP'] }, token: { tier: 'partial' as const, unsupported: ['memory'] } }

  test('refuse the job in one line with every entry and how to accept it', () => {
    expect(refusal(() => outcome(cases))).toEqual({
      code: 'layer_unsupported',
      message: 'environment "fake": token (token-fake) cannot hold: memory; network (network-fake) cannot hold: UDP; ICMP',
      plugin: 'token-fake',
      remedy:
        'Choose another token plugin, take this out of the policy, or accept it with "degrade: [token]" in environment "fake". ' +
        'Choose another network plugin, take this out of the policy, or accept it with "degrade: [network]" in environment "fake".',
    })
  })

  test('degrading one layer accepts that layer alone', () => {
    expect(refusal(() => outcome(cases, ['token']))).toMatchObject({
      message: 'environment "fake": network (network-fake) cannot hold: UDP; ICMP',
    })
    expect(outcome(cases, ['network', 'token'])).toEqual({ layers: plansOf(cases), degraded: ['token', 'network'] })
  })

  test('a layer that holds everything is not called degraded because it might have been', () => {
    expect(outcome({}, [...layers]).degraded).toEqual([])
  })

  test('a plugin of tier none needs no degrade: its name is the request', () => {
    const none = { network: { tier: 'none' as const, unsupported: ['network.allow'] } }
    expect(outcome(none)).toEqual({ layers: plansOf(none), degraded: [] })
  })

  test('a plugin that probes as a wall may not plan to be none', () => {
    const liar = { network: { tier: 'none' as const, availability: usable('full') } }
    expect(refusal(() => outcome(liar))).toMatchObject({
      code: 'layer_unsupported',
      message: 'environment "fake": network (network-fake) cannot hold: anything of this policy',
    })
    expect(outcome(liar, ['network']).degraded).toEqual(['network'])
  })
})

test('unusable layers are refused all at once', () => {
  expect(refusal(() => outcome({ filesystem: no('no mounts', 'Allow them.'), network: no('no namespaces', '') }, [...layers]))).toEqual({
    code: 'layer_unusable',
    message:
      'environment "fake": filesystem (filesystem-fake) cannot work here: no mounts; network (network-fake) cannot work here: no namespaces',
    plugin: 'filesystem-fake',
    remedy: 'Allow them.',
  })
})

describe('capabilities', () => {
  test('what another layer provides is met', () => {
    const cases = {
      network: { requires: ['account', 'handles'] },
      token: { provides: ['account'] },
      interception: { provides: ['handles'] },
    }
    expect(outcome(cases).degraded).toEqual([])
  })

  test('a layer cannot provide for itself, and degrading does not help', () => {
    const cases = { network: { requires: ['account'], provides: ['account'] } }
    expect(refusal(() => outcome(cases, ['network'], ['token-account']))).toEqual({
      code: 'layer_unsupported',
      message: 'environment "fake": network (network-fake) requires "account", which no other layer of this environment provides',
      plugin: 'network-fake',
      remedy: 'Provided by: token-account.',
    })
    expect(refusal(() => outcome(cases))).toMatchObject({ remedy: 'No installed plugin provides "account".' })
  })

  test('every plan is told what the others provide, without requiring it', () => {
    outcome({ network: { provides: ['proxy'] }, token: { provides: ['account', 'handles'] }, interception: { provides: ['handles'] } })
    expect(Object.fromEntries(told)).toEqual({
      filesystem: ['account', 'handles', 'proxy'],
      token: ['proxy', 'handles'],
      network: ['account', 'handles'],
      interception: ['account', 'handles', 'proxy'],
    })
  })

  test('a layer that cannot work here provides nothing', () => {
    const cases = {
      token: { ...open('no accounts'), provides: ['account'] },
      network: { requires: ['account'] },
    }
    expect(refusal(() => outcome(cases, ['token']))).toMatchObject({
      code: 'layer_unsupported',
      message: 'environment "fake": network (network-fake) requires "account", which no other layer of this environment provides',
    })
  })
})

describe('a layer that is of use without enforcing', () => {
  const network = { ...open('not elevated'), unsupported: ['anything: the way out is only offered'] }

  test('is refused like any other, with the way to accept it', () => {
    expect(refusal(() => outcome({ network }, ['token']))).toEqual({
      code: 'layer_unusable',
      message: 'environment "fake": network (network-fake) cannot work here: not elevated',
      plugin: 'network-fake',
      remedy: 'Run setup. Or accept it with "degrade: [network]" in environment "fake".',
    })
  })

  test('is planned and called degraded where the configuration says so', () => {
    expect(outcome({ network }, ['network'])).toEqual({ layers: plansOf({ network }), degraded: ['network'] })
  })

  test('is called degraded also when its plan forgets to say what it leaves open', () => {
    expect(outcome({ network: { ...network, unsupported: [] } }, ['network']).degraded).toEqual(['network'])
  })

  test('may not claim anything', () => {
    expect(refusal(() => outcome({ network: { ...network, tier: 'partial' } }, ['network']))).toMatchObject({
      code: 'layer_unusable',
      message: 'environment "fake": network (network-fake) plans to enforce what its probe says it cannot: not elevated',
    })
  })
})
