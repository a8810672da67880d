import { describe, expect, test } from 'vitest'
import type { EnvironmentSpec } from '../../../core/contracts/job.ts'
import type { Host, Layer, LayerPlugin, LayerSetup, Receipt, SetupContext } from '../../../core/contracts/layer.ts'
import type { SetupLedger } from '../../../core/contracts/setup.ts'
import { LayerSetups } from '../../../core/enforcement/machine-setup.ts'
import { fakeEnvironment, fakeLayer } from '../../support/fake-layer.ts'
import { fakeHost } from '../../support/fake-request.ts'

/** Things on an imaginary machine that a layer needs, and the machine that may end at any step. */
class World implements SetupLedger {
  readonly things = new Set<string>()
  readonly log: string[] = []
  readonly stored: Receipt[] = []
  elevated = true
  held = false
  /** Called before every side effect. */
  step: (what: string) => void = () => undefined

  act(what: string, work: () => void): void {
    this.step(what)
    work()
    this.log.push(what)
  }
  receipts(plugin: string): readonly Receipt[] {
    return this.stored.filter((receipt) => receipt.plugin === plugin)
  }
  record(receipt: Receipt): void {
    this.act(`receipt ${String(receipt.data)}`, () => this.stored.push(receipt))
  }
  settle(plugin: string): void {
    this.stored.splice(0, Infinity, ...this.stored.filter((receipt) => receipt.plugin !== plugin))
  }
  lock(): Disposable | undefined {
    if (this.held) return undefined
    this.held = true
    return { [Symbol.dispose]: () => void (this.held = false) }
  }
}

/** A layer that needs two things on the machine. */
function needing(layer: Layer, world: World, replace: Partial<LayerSetup> = {}): LayerPlugin {
  const id = `${layer}-fake`
  const names = [`${layer} 1`, `${layer} 2`]
  const missing = (): readonly string[] => names.filter((name) => !world.things.has(name))
  const setup: LayerSetup = {
    describe: async (change) =>
      change === 'install'
        ? missing().map((name) => `make ${name}`)
        : names.filter((name) => world.things.has(name)).map((n) => `remove ${n}`),
    install: async (context) => {
      for (const name of missing()) {
        await context.record({ plugin: id, data: name })
        world.act(`make ${name}`, () => world.things.add(name))
        context.report(`made ${name}`)
      }
    },
    remove: async (context) => {
      for (const { data } of context.recorded.toReversed()) {
        if (!world.things.has(String(data))) continue
        world.act(`remove ${String(data)}`, () => world.things.delete(String(data)))
        context.report(`removed ${String(data)}`)
      }
    },
    ...replace,
  }
  return fakeLayer(layer, { replace: { setup } })
}

function setting(replace: { readonly token?: Partial<LayerSetup>; readonly network?: Partial<LayerSetup> } = {}) {
  const world = new World()
  const plugins = [
    fakeLayer('filesystem'),
    needing('token', world, replace.token),
    needing('network', world, replace.network),
    fakeLayer('interception'),
  ]
  const host: Host = {
    ...fakeHost,
    can: async (feature) => ({ ok: feature === 'elevation' && world.elevated, level: 0, reason: 'this process may not' }),
  }
  const limits = { probe: 40, prepare: 40, apply: 40, attach: 40, verify: 40, dispose: 40, recover: 40, setup: 40 }
  const setups = new LayerSetups({ plugins: new Map(plugins.map((one) => [one.id, one])), host, ledger: world, hookLimits: limits })
  const environment: EnvironmentSpec = fakeEnvironment()
  const lines: string[] = []
  const stop = new AbortController()
  const run = (change: 'install' | 'remove') =>
    setups.carryOut(change, environment, { options: { accounts: 2 }, signal: stop.signal, report: (line) => lines.push(line) })
  return { world, setups, environment, lines, run, stop }
}

test('describing reads only, and names only layers that have something to set up', async () => {
  const { world, setups, environment } = setting()
  expect(await setups.describe('install', environment, { accounts: null })).toEqual([
    { layer: 'token', plugin: 'token-fake', steps: ['make token 1', 'make token 2'] },
    { layer: 'network', plugin: 'network-fake', steps: ['make network 1', 'make network 2'] },
  ])
  expect(world.log).toEqual([])
})

test('a layer that records while it only describes is refused', async () => {
  const { setups, environment } = setting({
    token: {
      describe: async (_, context: SetupContext) => {
        await context.record({ plugin: 'token-fake', data: 1 })
        return []
      },
    },
  })
  await expect(setups.describe('install', environment, { accounts: null })).rejects.toMatchObject({ code: 'plugin_failed' })
})

test('installs in application order with a receipt before each effect, removes in reverse, and leaves nothing', async () => {
  const { world, lines, run } = setting()
  const made = await run('install')
  expect(world.log).toEqual(['token 1', 'token 2', 'network 1', 'network 2'].flatMap((name) => [`receipt ${name}`, `make ${name}`]))
  expect(made).toEqual(['made token 1', 'made token 2', 'made network 1', 'made network 2'])
  expect(lines).toEqual(made)
  expect(world.held).toBe(false)

  world.log.length = 0
  expect(await run('install')).toEqual([])
  expect(world.log).toEqual([])

  expect(await run('remove')).toEqual(['removed network 2', 'removed network 1', 'removed token 2', 'removed token 1'])
  expect([...world.things, ...world.stored]).toEqual([])
  expect(await run('remove')).toEqual([])
})

describe('killed before any step', () => {
  const steps = 8
  test.each(Array.from({ length: steps }, (_, index) => index))('%d: it can be continued, and it can be undone', async (at) => {
    for (const next of ['install', 'remove'] as const) {
      const { world, run } = setting()
      let count = 0
      world.step = () => {
        if (count++ === at) throw new Error('the machine ends here')
      }
      await expect(run('install')).rejects.toMatchObject({ code: 'plugin_failed' })
      world.step = () => undefined
      await run(next)
      expect(world.things.size).toBe(next === 'install' ? 4 : 0)
      if (next === 'remove') expect(world.stored.filter(({ data }) => world.things.has(String(data)))).toEqual([])
    }
  })
})

test('without rights nothing happens, not even a receipt, unless there is nothing to do', async () => {
  const { world, run } = setting()
  world.elevated = false
  await expect(run('install')).rejects.toMatchObject({ code: 'setup_not_elevated', message: 'nothing was changed: this process may not' })
  expect(world.log).toEqual([])
  expect(await run('remove')).toEqual([])
})

test('two at once: the second is told so', async () => {
  const { world, run } = setting()
  world.held = true
  await expect(run('install')).rejects.toMatchObject({ code: 'setup_busy' })
  expect(world.log).toEqual([])
})

test('installing stops at the first failure; removing goes on and keeps the receipts of what is left', async () => {
  const failing = setting({ token: { install: async () => Promise.reject(new Error('boom')) } })
  await expect(failing.run('install')).rejects.toMatchObject({ code: 'plugin_failed', message: 'plugin "token-fake", setup: boom' })
  expect(failing.world.log).toEqual([])

  const stuck = setting({ network: { remove: async () => Promise.reject(new Error('stuck')) } })
  await stuck.run('install')
  await expect(stuck.run('remove')).rejects.toMatchObject({ message: 'plugin "network-fake", setup: stuck' })
  expect([...stuck.world.things]).toEqual(['network 1', 'network 2'])
  expect(stuck.world.stored.map(({ plugin }) => plugin)).toEqual(['network-fake', 'network-fake'])
})

test('a layer that says it is done and is not is not believed', async () => {
  const { run } = setting({ token: { install: async () => undefined } })
  await expect(run('install')).rejects.toMatchObject({
    code: 'setup_incomplete',
    message: 'not everything is done: make token 1; make token 2',
  })
})

test('asked to stop, it stops before the next effect', async () => {
  const { world, run, stop } = setting()
  world.step = (what) => {
    if (what === 'make token 1') stop.abort('shutdown')
  }
  await expect(run('install')).rejects.toMatchObject({ code: 'interrupted', message: 'stopped before everything was done' })
  expect([...world.things]).toEqual(['token 1'])
})

test.each<readonly [string, Partial<LayerSetup>, string]>([
  ['hangs', { install: () => new Promise<void>(() => undefined) }, 'plugin "token-fake", setup: it did not come back within 40 ms'],
  [
    'records in another name',
    { install: async (context) => context.record({ plugin: 'other', data: 1 }) },
    'plugin "token-fake", setup: the receipt is in the name of "other"',
  ],
  [
    'describes no list',
    { describe: async () => 'everything' as unknown as string[] },
    'plugin "token-fake", setup: it returned a wrong value: Invalid input: expected array, received string',
  ],
])('a layer that %s is named', async (_, token, message) => {
  const { run } = setting({ token })
  await expect(run('install')).rejects.toMatchObject({ code: 'plugin_failed', message })
})

test('a watcher that throws stops nothing', async () => {
  const { setups, environment, world } = setting()
  const report = (): void => {
    throw new Error('the terminal is gone')
  }
  await setups.carryOut('install', environment, { options: { accounts: null }, signal: new AbortController().signal, report })
  expect(world.things.size).toBe(4)
})
