import { describe, expect, test } from 'vitest'
import type { FeatureAnswer, Host, HostFeature } from '../../../core/contracts/index.ts'
import view from '../../../plugins/fs-view/index.ts'
import token from '../../../plugins/token-userns/index.ts'
import { fakeHost } from '../../support/fake-request.ts'

function hostWithout(missing: readonly HostFeature[], change: Partial<Host> = {}): Host {
  const answer = (feature: HostFeature): FeatureAnswer =>
    missing.includes(feature) ? { ok: false, level: 0, reason: 'step: EPERM' } : { ok: true, level: 7, reason: '' }
  return { ...fakeHost, ...change, can: async (feature) => answer(feature) }
}

describe('fs-view', () => {
  test.each<[string, Host, unknown]>([
    [
      'everything',
      hostWithout([]),
      { usable: true, tier: 'full', detail: 'new root with nothing but what is listed, Landlock ABI 7 on top' },
    ],
    [
      'no Landlock',
      hostWithout(['landlock']),
      { usable: true, tier: 'full', detail: 'new root with nothing but what is listed, without Landlock on top (step: EPERM)' },
    ],
    ['no idmapped mounts, which only root needs', hostWithout(['idmapped-mount']), expect.objectContaining({ usable: true })],
    [
      'no idmapped mounts for root',
      hostWithout(['idmapped-mount'], { uid: 0, gid: 0 }),
      expect.objectContaining({ usable: false, reason: 'idmapped-mount: step: EPERM' }),
    ],
    ['no mounts', hostWithout(['mount-namespace']), expect.objectContaining({ usable: false, reason: 'mount-namespace: step: EPERM' })],
    ['another system', hostWithout([], { platform: 'win32' }), expect.objectContaining({ usable: false })],
  ])('%s', async (_name, host, availability) => {
    expect(await view.probe(host)).toEqual(availability)
  })
})

describe('token-userns', () => {
  test.each<[string, Host, unknown]>([
    ['everything', hostWithout([]), { usable: true, tier: 'full', detail: 'own namespaces, your uid without any capability' }],
    [
      'no user namespaces',
      hostWithout(['user-namespace']),
      expect.objectContaining({ usable: false, reason: 'user-namespace: step: EPERM' }),
    ],
    ['another system', hostWithout([], { platform: 'win32', uid: null, gid: null }), expect.objectContaining({ usable: false })],
  ])('%s', async (_name, host, availability) => {
    expect(await token.probe(host)).toEqual(availability)
  })
})
