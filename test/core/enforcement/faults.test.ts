import { describe, expect, test } from 'vitest'
import type { AppliedLayer, Layer, LayerPlugin } from '../../../core/contracts/layer.ts'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import { fakeLayers, FakeWorld } from '../../support/fake-layer.ts'
import type { FakeLayerOptions } from '../../support/fake-layer.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'
import { enterRequest, fakeHost } from '../../support/fake-request.ts'

const limitMs = 30

function setting(layer: Layer, options: FakeLayerOptions) {
  const world = new FakeWorld()
  const journal = new FakeReceipts()
  const launcher = new FakeLauncher(world.log)
  const pipeline = new EnforcementPipeline({
    plugins: fakeLayers(world, { [layer]: options }),
    host: fakeHost,
    launcher,
    journal,
    orchestrator: () => 'orc_1',
    isAlive: () => true,
    hookLimits: {
      probe: limitMs,
      prepare: limitMs,
      apply: limitMs,
      attach: limitMs,
      verify: limitMs,
      dispose: limitMs,
      recover: limitMs,
      setup: limitMs,
    },
  })
  return { world, journal, launcher, pipeline }
}

const boom = (): never => {
  throw new Error('boom')
}
const hang = (): Promise<never> => new Promise(() => undefined)
const hung = `it did not come back within ${limitMs} ms`
const lie = (value: unknown) => (async () => value) as () => Promise<never>

type Fault = readonly [hook: string, options: FakeLayerOptions, message: string]
const plugin = (replace: Partial<LayerPlugin>): FakeLayerOptions => ({ replace })
const applied = (replaceApplied: Partial<AppliedLayer>): FakeLayerOptions => ({ replaceApplied })
const planned = (replacePlan: object): FakeLayerOptions => ({ replacePlan: replacePlan })

/** Each ends before the command starts, with `plugin_failed` in the name of plugin and hook. */
const faults: readonly Fault[] = [
  ['plan', plugin({ plan: boom }), 'boom'],
  ['plan', plugin({ plan: () => undefined as never }), 'it returned a wrong value: Invalid input: expected object, received undefined'],
  ['plan', planned({ plugin: 'token-other' }), 'it planned as token plugin "token-other"'],
  ['plan', planned({ layer: 'network' }), 'it planned as network plugin "token-fake"'],
  ['plan', planned({ enforces: [] }), 'it returned a wrong value: a layer that claims nothing has tier "none"'],
  [
    'plan',
    planned({
      enforces: [
        { id: 'a', text: 'x' },
        { id: 'a', text: 'y' },
      ],
    }),
    'it returned a wrong value: two claims have the same id',
  ],
  ['plan', planned({ data: { when: new Date(0) } }), 'data.when is not a plain object'],
  ['plan', planned({ data: { run: () => 1 } }), 'data.run is of type function, which JSON cannot hold'],
  ['apply', plugin({ apply: boom }), 'boom'],
  ['apply', plugin({ apply: hang }), hung],
  ['apply', plugin({ apply: lie(undefined) }), 'it returned a wrong value: is not an object'],
  ['apply', plugin({ apply: lie({ contribute: boom, verify: boom }) }), 'it returned a wrong value: has no [Symbol.asyncDispose]()'],
  ['contribute', applied({ contribute: boom }), 'boom'],
  ['contribute', applied({ contribute: () => null as never }), 'it returned no launch specification'],
  ['contribute', applied({ contribute: (spec) => ({ ...spec, filesystem: null }) }), 'it changed what is not its part: filesystem'],
  [
    'contribute',
    applied({
      contribute: (spec) => ({ ...spec, command: { ...spec.command, argv: ['/bin/sh'] }, limits: { processes: null, openFiles: 9 } }),
    }),
    'it changed what is not its part: limits, command',
  ],
  [
    'contribute',
    applied({
      contribute: (spec) => {
        ;(spec as { token: unknown }).token = null
        return spec
      },
    }),
    "Cannot assign to read only property 'token' of object '#<Object>'",
  ],
  [
    'contribute',
    applied({ contribute: (spec) => ({ ...spec, command: { ...spec.command, environment: { 'A=B': 'x' } } }) }),
    'it left no valid environment',
  ],
  ['attach', applied({ attach: boom }), 'boom'],
  ['attach', applied({ attach: hang }), hung],
  ['verify', applied({ verify: boom }), 'boom'],
  ['verify', applied({ verify: hang }), hung],
  ['verify', applied({ verify: lie('fine') }), 'it returned a wrong value: Invalid input: expected array, received string'],
  [
    'verify',
    applied({ verify: lie([{ claim: 'holds', held: 'yes', detail: '' }]) }),
    'it returned a wrong value: 0.held: Invalid input: expected boolean, received string',
  ],
]

describe('a fault in any hook is refused in the plugin’s name and undone', () => {
  test.each(faults)('%s: %j %s', async (hook, options, message) => {
    const { world, journal, launcher, pipeline } = setting('token', options)
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'plugin_failed',
      message: `plugin "token-fake", ${hook}: ${message}`,
      details: { plugin: 'token-fake', operation: hook },
    })
    expect(launcher.sandboxes.filter(({ started, alive }) => started || alive)).toEqual([])
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
    // Everything that was applied was disposed, last first.
    const order = (verb: string) => world.log.filter((entry) => entry.startsWith(`${verb} `)).map((entry) => entry.slice(verb.length + 1))
    expect(order('dispose')).toEqual(order('applied').toReversed())
  })

  test.each([
    ['throws', boom as () => Promise<never>, 'plugin "token-fake", probe: boom'],
    ['hangs', hang, `plugin "token-fake", probe: ${hung}`],
    ['lies', lie({ usable: true, tier: 'total' }), 'plugin "token-fake", probe: it returned a wrong value: '],
  ])('a probe that %s makes the layer unusable', async (_, probe, reason) => {
    const { world, pipeline } = setting('token', plugin({ probe }))
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'layer_unusable',
      message: expect.stringContaining(`environment "fake": token (token-fake) cannot work here: ${reason}`) as string,
    })
    expect(world.log).toEqual([])
  })

  test('errors of the machine keep their code and remedy and gain the plugin’s name', async () => {
    const { BulkheadError } = await import('../../../core/contracts/error.ts')
    const full = new BulkheadError('host_no_space', 'the disk is full', { remedy: 'Make room.', operation: 'mkdir' })
    const { pipeline } = setting('token', plugin({ apply: async () => Promise.reject(full) }))
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'host_no_space',
      message: 'plugin "token-fake", apply: the disk is full',
      details: { remedy: 'Make room.', operation: 'mkdir', plugin: 'token-fake' },
    })
  })
})

describe('faults while undoing', () => {
  test('a dispose that throws: undone from the receipts, and the others are disposed all the same', async () => {
    const { world, journal, pipeline } = setting('network', applied({ [Symbol.asyncDispose]: boom }))
    const enforced = await pipeline.enter(enterRequest())
    await expect(enforced[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'plugin "network-fake", dispose: boom',
    })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts()).toEqual([])
  })

  test('a dispose that hangs: undone from the receipts, which are kept because it may still be at work', async () => {
    const { world, journal, pipeline } = setting('network', applied({ [Symbol.asyncDispose]: hang }))
    const enforced = await pipeline.enter(enterRequest())
    await expect(enforced[Symbol.asyncDispose]()).rejects.toMatchObject({ message: `plugin "network-fake", dispose: ${hung}` })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts().map(({ receipt }) => receipt.plugin)).toEqual(['network-fake', 'network-fake'])
  })

  test('dispose and recover both fail: the receipts stay for the next start', async () => {
    const options = { ...applied({ [Symbol.asyncDispose]: boom }), ...plugin({ recover: boom }) }
    const { world, journal, pipeline } = setting('network', options)
    const enforced = await pipeline.enter(enterRequest())
    await expect(enforced[Symbol.asyncDispose]()).rejects.toMatchObject({
      message: 'plugin "network-fake", dispose: boom; plugin "network-fake", recover: boom; plugin "network-fake", recover: boom',
    })
    expect([...world.effects]).toEqual(['job_000000000001/network/0', 'job_000000000001/network/1'])
    expect(journal.receipts().map(({ receipt }) => receipt.plugin)).toEqual(['network-fake', 'network-fake'])
  })

  test('an apply that hangs half-way: its effects are undone, its receipts kept, and what comes late is disposed', async () => {
    const late: string[] = []
    const { world, journal, pipeline } = setting('network', {
      replace: {
        apply: async (_plan, context) => {
          await context.record({ plugin: 'network-fake', data: { name: 'half' } })
          world.effects.add('half')
          await new Promise((resolve) => setTimeout(resolve, limitMs * 2))
          late.push(`aborted: ${context.signal.aborted}`)
          await context.record({ plugin: 'network-fake', data: { name: 'more' } }).catch(() => late.push('refused'))
          return {
            contribute: (spec) => spec,
            verify: async () => [],
            [Symbol.asyncDispose]: async () => void late.push('disposed'),
          }
        },
      },
    })
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({ message: `plugin "network-fake", apply: ${hung}` })
    expect(world.effects).toEqual(new Set())
    expect(journal.receipts().map(({ receipt }) => receipt)).toEqual([{ plugin: 'network-fake', data: { name: 'half' } }])
    await expect.poll(() => late).toEqual(['aborted: true', 'refused', 'disposed'])
  })

  test('both the fault and the failed undoing are told', async () => {
    const { pipeline } = setting('token', applied({ attach: boom, [Symbol.asyncDispose]: boom }))
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({
      code: 'plugin_failed',
      message: 'plugin "token-fake", attach: boom; undoing it failed too: plugin "token-fake", dispose: boom',
    })
  })

  test.each([
    ['in another’s name', { plugin: 'network-fake', data: 1 }, 'plugin "token-fake", apply: the receipt is in the name of "network-fake"'],
    [
      'that JSON cannot hold',
      { plugin: 'token-fake', data: 1n },
      'plugin "token-fake", apply: receipt.data is of type bigint, which JSON cannot hold',
    ],
  ])('a receipt %s', async (_, receipt, message) => {
    const { journal, pipeline } = setting('token', {
      replace: {
        apply: async (_plan, context) => {
          await context.record(receipt)
          throw new Error('not reached')
        },
      },
    })
    await expect(pipeline.enter(enterRequest())).rejects.toMatchObject({ code: 'plugin_failed', message })
    expect(journal.receipts()).toEqual([])
  })
})
