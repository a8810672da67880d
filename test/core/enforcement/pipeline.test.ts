import { describe, expect, test } from 'vitest'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
import type { EnforcementParts } from '../../../core/enforcement/pipeline.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import { fakeEnvironment, fakeLayer, fakeLayers, fakeParts, FakeWorld } from '../../support/fake-layer.ts'
import type { FakeLayerOptions } from '../../support/fake-layer.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'
import { emptyPolicy, enterRequest, fakeHost } from '../../support/fake-request.ts'
import type { AppliedLayer, Layer } from '../../../core/contracts/layer.ts'
import type { Denial } from '../../../core/contracts/denial.ts'

const denial: Denial = {
  layer: 'token',
  plugin: 'somebody-else',
  reason: 'host_not_allowed',
  object: 'example.com:443',
  action: 'deny',
  program: 'curl',
  remedy: null,
  lost: 0,
}

function setting(special: Partial<Record<Layer, FakeLayerOptions>> = {}, change: Partial<EnforcementParts> = {}) {
  const world = new FakeWorld()
  const journal = new FakeReceipts()
  const launcher = new FakeLauncher(world.log)
  const limits = { probe: 40, prepare: 40, apply: 40, attach: 40, verify: 40, dispose: 40, recover: 40, setup: 40 }
  const pipeline = new EnforcementPipeline({
    plugins: fakeLayers(world, special),
    host: fakeHost,
    launcher,
    journal,
    orchestrator: () => 'orc_1',
    isAlive: () => true,
    hookLimits: limits,
    endLimitMs: 40,
    ...change,
  })
  return { world, journal, launcher, pipeline }
}

describe('a launch that goes well', () => {
  test('applies in order, launches, attaches, verifies, and undoes everything in reverse', async () => {
    const { world, journal, launcher, pipeline } = setting({ filesystem: { effects: 1 }, token: { effects: 1 } })
    const enforced = await pipeline.enter(enterRequest())
    expect(world.log).toEqual([
      'receipt job_000000000001/filesystem/0',
      'effect job_000000000001/filesystem/0',
      'applied filesystem',
      'receipt job_000000000001/token/0',
      'effect job_000000000001/token/0',
      'applied token',
      'receipt job_000000000001/network/0',
      'effect job_000000000001/network/0',
      'receipt job_000000000001/network/1',
      'effect job_000000000001/network/1',
      'applied network',
      'receipt job_000000000001/interception/0',
      'effect job_000000000001/interception/0',
      'receipt job_000000000001/interception/1',
      'effect job_000000000001/interception/1',
      'applied interception',
      'launch',
      'attach filesystem',
      'attach token',
      'attach network',
      'attach interception',
      'verify filesystem',
      'verify token',
      'verify network',
      'verify interception',
    ])
    expect(journal.receipts().map(({ orchestrator, job, receipt }) => ({ orchestrator, job, receipt }))).toContainEqual({
      orchestrator: 'orc_1',
      job: 'job_000000000001',
      receipt: { plugin: 'network-fake', data: { name: 'job_000000000001/network/1' } },
    })
    expect(launcher.sandboxes[0]?.started).toBe(false)
    expect(enforced.sandbox).toBe(launcher.sandboxes[0])
    expect(enforced.evidence).toEqual(Array.from({ length: 4 }, () => ({ claim: 'holds', held: true, detail: 'read: EACCES' })))

    world.log.length = 0
    await Promise.all([enforced[Symbol.asyncDispose](), enforced[Symbol.asyncDispose]()])
    expect(world.log).toEqual([
      'kill',
      'sandbox disposed',
      'dispose interception',
      'undo job_000000000001/interception/1',
      'undo job_000000000001/interception/0',
      'dispose network',
      'undo job_000000000001/network/1',
      'undo job_000000000001/network/0',
      'dispose token',
      'undo job_000000000001/token/0',
      'dispose filesystem',
      'undo job_000000000001/filesystem/0',
    ])
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test('one specification is made of all contributions, on the ground of the policy', async () => {
    const { launcher, pipeline } = setting()
    const enforced = await pipeline.enter(enterRequest())
    expect(launcher.specs).toEqual([
      {
        ...fakeParts,
        command: {
          argv: ['true'],
          directory: '/ws/tree',
          environment: { LANG: 'C.UTF-8', NAME: 'value', FILESYSTEM: 'on', TOKEN: 'on', NETWORK: 'on', INTERCEPTION: 'on' },
        },
        limits: { processes: 64, openFiles: null },
      },
    ])
    await enforced[Symbol.asyncDispose]()
  })

  test('only what the policy lets pass comes from the host, and what is set wins over it', async () => {
    const hostEnvironment = { TOKEN_A: 'a', TOKEN_B: 'b', LANG: 'de_DE', NAME: 'host', SECRET: 'x' }
    const { launcher, pipeline } = setting({}, { hostEnvironment })
    const policy = { ...emptyPolicy, pass: ['TOKEN_A', 'LANG', 'NAME', 'MISSING', 'toString'] }
    await (await pipeline.enter(enterRequest({ policy })))[Symbol.asyncDispose]()
    const walls = { FILESYSTEM: 'on', TOKEN: 'on', NETWORK: 'on', INTERCEPTION: 'on' }
    expect(launcher.specs[0]?.command.environment).toEqual({ TOKEN_A: 'a', LANG: 'C.UTF-8', NAME: 'value', ...walls })
  })

  test('the plan carries options with their defaults and is plain data', async () => {
    const { pipeline } = setting()
    const plan = await pipeline.plan(enterRequest())
    expect(plan.degraded).toEqual([])
    expect(plan.layers.map(({ layer, data }) => ({ layer, data }))).toEqual(
      ['filesystem', 'token', 'network', 'interception'].map((layer) => ({ layer, data: { strict: true } })),
    )
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })

  test('denials are passed on in the plugin’s own name, but not those of our own attacks', async () => {
    let report: ((denial: Denial) => void) | undefined
    const seen: Denial[] = []
    const { pipeline } = setting({
      network: {
        replace: {
          apply: async (_plan, context) => {
            report = (one) => context.report(one)
            return {
              contribute: (spec) => spec,
              verify: async () => {
                context.report(denial)
                return [{ claim: 'holds', held: true, detail: 'tried' }]
              },
              [Symbol.asyncDispose]: async () => undefined,
            }
          },
        },
      },
    })
    const enforced = await pipeline.enter(
      enterRequest({
        onDenial: (one) => {
          seen.push(one)
          throw new Error('a listener that throws')
        },
      }),
    )
    expect(seen).toEqual([])
    report?.(denial)
    expect(seen).toEqual([{ ...denial, plugin: 'network-fake', layer: 'network' }])
    await enforced[Symbol.asyncDispose]()
  })
})

describe('fails closed', () => {
  test('a wall that does not hold stops the launch before anything runs', async () => {
    const { world, journal, launcher, pipeline } = setting()
    launcher.behaviour.attempt = (attempt) =>
      attempt.op === 'read' && attempt.path === '/secret/network'
        ? { ok: true, error: null, value: null }
        : { ok: false, error: 'ENOENT', value: null }
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'layer_unverified',
      message: 'network (network-fake): "holds" does not hold (read: succeeded)',
      details: { plugin: 'network-fake' },
    })
    expect(launcher.sandboxes.map(({ started, alive }) => ({ started, alive }))).toEqual([{ started: false, alive: false }])
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test.each([
    ['evidence for a claim is missing', [], '"holds" was not attacked'],
    ['a claim is answered twice', [true, true], '"holds" has 2 answers'],
    ['one of two answers is good', [true, false], '"holds" does not hold (tried); "holds" has 2 answers'],
  ])('%s', async (_, answers, fault) => {
    const { pipeline, launcher } = setting({
      token: { replaceApplied: { verify: async () => answers.map((held) => ({ claim: 'holds', held, detail: 'tried' })) } },
    })
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'layer_unverified',
      message: `token (token-fake): ${fault}`,
    })
    expect(launcher.sandboxes[0]?.started).toBe(false)
  })

  test('evidence for something that was never claimed', async () => {
    const answers = ['holds', 'other'].map((claim) => ({ claim, held: true, detail: 'tried' }))
    const { pipeline } = setting({ token: { replaceApplied: { verify: async () => answers } } })
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'layer_unverified',
      message: 'token (token-fake): "other" was never claimed',
    })
  })

  test('a launch that fails undoes the layers', async () => {
    const { world, journal, launcher, pipeline } = setting()
    launcher.behaviour.launchFails = new Error('clone3: EPERM')
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({ code: 'internal', message: 'clone3: EPERM' })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test('a journal that cannot take a receipt stops the effect it is for', async () => {
    const { world, journal, pipeline } = setting()
    journal.failRecord = new Error('disk I/O error')
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({ code: 'plugin_failed' })
    expect(world.log).toEqual(['receipt job_000000000001/filesystem/0'])
  })

  test('abort before and between the layers', async () => {
    const before = setting()
    await expect(before.pipeline.enter(enterRequest({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'interrupted' })
    expect(before.world.log).toEqual([])

    const between = setting()
    const stop = new AbortController()
    between.world.step = (name) => (name === 'applied token' ? stop.abort() : undefined)
    await expect(between.pipeline.enter(enterRequest({ signal: stop.signal }))).rejects.toMatchObject({ code: 'interrupted' })
    expect(between.world.log.filter((name) => name.startsWith('applied'))).toEqual(['applied filesystem', 'applied token'])
    expect(between.world.effects).toEqual(new Set())
    expect(between.journal.receipts()).toEqual([])
  })

  test('abort within apply: the layer may not begin another effect', async () => {
    const { world, journal, pipeline } = setting()
    const stop = new AbortController()
    world.step = (name) => (name === 'receipt job_000000000001/token/1' ? stop.abort() : undefined)
    await expect(pipeline.enter(enterRequest({ signal: stop.signal }))).rejects.toMatchObject({ code: 'interrupted' })
    expect(world.log).not.toContain('effect job_000000000001/token/1')
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test('a tree that will not die: layers are undone, receipts are kept, and it is said', async () => {
    const { world, journal, launcher, pipeline } = setting()
    launcher.behaviour.immortal = true
    const enforced = await pipeline.enter(enterRequest())
    await expect(enforced[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'native_failed',
      message: 'process 4711 and its children were killed but are still there after 40 ms',
    })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toHaveLength(8)
  })

  test('a receipt that cannot be settled does not keep the others', async () => {
    const { world, journal, pipeline } = setting()
    const enforced = await pipeline.enter(enterRequest())
    journal.failSettle = new Error('journal is locked')
    await expect(enforced[Symbol.asyncDispose]()).rejects.toThrow('journal is locked')
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toHaveLength(8)
  })

  test.each([
    ['names no program', { argv: [] }],
    ['an argument contains a NUL character', { argv: ['a', 'b\0'] }],
    ['its directory is not an absolute path', { directory: 'tree' }],
    ['it sets an invalid variable', { environment: { 'A=B': 'x' } }],
    ['it sets an invalid variable', { environment: { A: 'x\0' } }],
  ])('a command of which %s, before any layer is applied', async (fault, change) => {
    const { world, pipeline } = setting()
    const command = { ...enterRequest().command, ...change }
    await expect(pipeline.enter(enterRequest({ command }))).rejects.toMatchObject({
      code: 'usage_invalid',
      message: expect.stringContaining(fault) as string,
    })
    expect(world.log).toEqual([])
  })

  test('unknown plugins and wrong options name themselves', async () => {
    const { pipeline } = setting()
    const environment = fakeEnvironment()
    const without = { ...environment, layers: { ...environment.layers, token: { plugin: 'tokne-fake', options: {} } } }
    await expect(pipeline.enter(enterRequest({ environment: without }))).rejects.toMatchObject({
      code: 'plugin_unknown',
      message: 'token plugin "tokne-fake" is not installed',
      details: { remedy: 'Did you mean "token-fake"? Installed for this layer: token-fake.' },
    })
    const wrong = { ...environment, layers: { ...environment.layers, token: { plugin: 'token-fake', options: { strict: 'yes' } } } }
    await expect(pipeline.enter(enterRequest({ environment: wrong }))).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('options of token plugin "token-fake": strict:') as string,
    })
  })
})

test('examine says what every layer can do and never throws', async () => {
  const { pipeline } = setting({
    token: { availability: { usable: false, reason: 'no user namespaces', remedy: 'Allow them.' } },
    network: {
      replace: {
        probe: async () => {
          throw new Error('boom')
        },
      },
    },
  })
  const environment = fakeEnvironment()
  const odd = { ...environment, layers: { ...environment.layers, interception: { plugin: 'token-fake', options: {} } } }
  expect(await pipeline.examine(odd)).toEqual([
    { layer: 'filesystem', plugin: 'filesystem-fake', availability: { usable: true, tier: 'full', detail: 'fake' } },
    { layer: 'token', plugin: 'token-fake', availability: { usable: false, reason: 'no user namespaces', remedy: 'Allow them.' } },
    {
      layer: 'network',
      plugin: 'network-fake',
      availability: {
        usable: false,
        reason: 'plugin "network-fake", probe: boom',
        remedy: 'Report this to the author of the plugin, or choose another one.',
      },
    },
    {
      layer: 'interception',
      plugin: 'token-fake',
      availability: {
        usable: false,
        reason: 'interception plugin "token-fake" is a plugin for the token layer, not for interception',
        remedy: 'Installed for this layer: interception-fake.',
      },
    },
  ])
  await expect(pipeline.plan(enterRequest({ policy: emptyPolicy }))).rejects.toMatchObject({ code: 'layer_unusable' })
})

describe('attesting', () => {
  test('says what came of every claim, starts nothing and leaves nothing', async () => {
    const claims = [
      { id: 'holds', text: 'the token wall holds' },
      { id: 'forgotten', text: 'nobody attacks this' },
    ]
    const { world, journal, launcher, pipeline } = setting({
      filesystem: { replaceApplied: { verify: async () => Promise.reject(new Error('the attack got lost')) } },
      token: { replacePlan: { enforces: claims } },
      network: { replaceApplied: { verify: async () => [{ claim: 'holds', held: false, detail: 'connected' }] } },
      interception: {
        replaceApplied: {
          verify: async () => [
            { claim: 'holds', held: true, detail: 'refused' },
            { claim: 'invented', held: true, detail: 'refused' },
          ],
        },
      },
    })
    const told = await pipeline.attest(enterRequest())
    expect(told.map(({ layer, claim, held, text, detail }) => [layer, claim, held, text, detail])).toEqual([
      ['filesystem', 'holds', false, 'the filesystem wall holds', 'plugin "filesystem-fake", verify: the attack got lost'],
      ['token', 'holds', true, 'the token wall holds', 'read: EACCES'],
      ['token', 'forgotten', false, 'nobody attacks this', 'it was not attacked'],
      ['network', 'holds', false, 'the network wall holds', 'connected'],
      ['interception', 'holds', true, 'the interception wall holds', 'refused'],
      ['interception', 'invented', false, 'This was never claimed.', 'refused'],
    ])
    expect(launcher.sandboxes[0]?.started).toBe(false)
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test('what cannot be built is an error here too, and is undone', async () => {
    const { world, pipeline } = setting({ interception: { replace: { apply: async () => Promise.reject(new Error('boom')) } } })
    await expect(pipeline.attest(enterRequest())).rejects.toMatchObject({ code: 'plugin_failed' })
    expect(world.effects).toEqual(new Set())
  })
})

describe('values that go with capabilities', () => {
  const seen: Record<string, string>[] = []
  const watching = (layer: Layer) => (): Partial<FakeLayerOptions> => {
    const whole = fakeLayers(new FakeWorld()).get(`${layer}-fake`)
    return {
      replace: {
        apply: async (plan, context) => {
          seen.push({ ...context.provided })
          return whole?.apply(plan, context) as Promise<AppliedLayer>
        },
      },
    }
  }

  test('a layer sees what those before it published, and nothing of those after it', async () => {
    seen.length = 0
    const { pipeline } = setting({
      filesystem: watching('filesystem')(),
      token: { provides: ['account', 'pid-namespace'], replaceApplied: { provided: { account: 'S-1-5-21-1' } } },
      network: watching('network')(),
    })
    await (await pipeline.enter(enterRequest()))[Symbol.asyncDispose]()
    expect(seen).toEqual([{}, { account: 'S-1-5-21-1' }])
  })

  test.each<readonly [string, unknown, string]>([
    ['under a name it does not provide', { other: 'x' }, 'apply: it published values for what it does not provide: other'],
    ['that are no texts', { account: 1 }, 'apply: it returned a wrong value: has a provided that is no record of texts'],
  ])('one that publishes values %s is refused and undone', async (_, provided, message) => {
    const { pipeline, world, journal } = setting({
      token: { provides: ['account'], replaceApplied: { provided: provided as Record<string, string> } },
    })
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'plugin_failed',
      message: `plugin "token-fake", ${message}`,
    })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })
})

test('a value is not replaced by a later layer: nothing starts and everything is undone', async () => {
  const both = { provides: ['account'], effects: 1 }
  const { pipeline, world, launcher } = setting({
    token: { ...both, replaceApplied: { provided: { account: 'S-1-5-21-7' } } },
    network: { ...both, replaceApplied: { provided: { account: 'S-1-5-21-8' } } },
  })
  await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
    code: 'plugin_failed',
    message: 'plugin "network-fake", apply: it published values for what an earlier layer published already: account',
  })
  expect(world.log).toContain('dispose network')
  expect([...world.effects]).toEqual([])
  expect(launcher.specs).toEqual([])
})

test('the plan is told what the probe said', async () => {
  const availability = { usable: false, reason: 'not elevated', remedy: 'Run setup.', degradable: true } as const
  const told: unknown[] = []
  const fake = fakeLayer('network', { replacePlan: { tier: 'none', enforces: [], unsupported: ['anything'] } })
  const { pipeline } = setting({
    network: {
      availability,
      replace: {
        plan: (policy, options, context) => {
          told.push(context.availability)
          return fake.plan(policy, options, context)
        },
      },
    },
  })
  expect((await pipeline.plan(enterRequest({ environment: fakeEnvironment(['network']) }))).degraded).toEqual(['network'])
  expect(told).toEqual([availability])
})

test('a plugin is probed once per process, but one whose probe failed is asked again', async () => {
  let good = 0
  let bad = 0
  const { pipeline } = setting({
    token: {
      replace: {
        probe: async () => {
          good += 1
          return { usable: true, tier: 'full', detail: 'fake' }
        },
      },
    },
    network: {
      replace: {
        probe: async () => {
          bad += 1
          if (bad === 1) throw new Error('busy')
          return { usable: true, tier: 'full', detail: 'fake' }
        },
      },
    },
  })
  const usable = async () => (await pipeline.examine(fakeEnvironment())).map(({ availability }) => availability.usable)
  expect(await usable()).toEqual([true, true, false, true])
  expect(await usable()).toEqual([true, true, true, true])
  expect(await usable()).toEqual([true, true, true, true])
  expect({ good, bad }).toEqual({ good: 1, bad: 2 })
})
