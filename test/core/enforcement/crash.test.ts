import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import { fakeLayers, FakeWorld } from '../../support/fake-layer.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'
import { enterRequest, fakeHost } from '../../support/fake-request.ts'

const patient = {
  probe: 60_000,
  prepare: 60_000,
  apply: 60_000,
  attach: 60_000,
  verify: 60_000,
  dispose: 60_000,
  recover: 60_000,
  setup: 60_000,
}

const effects = fc.record({
  filesystem: fc.nat(4),
  token: fc.nat(4),
  network: fc.nat(4),
  interception: fc.nat(4),
})

function setting(counts: Record<string, number>, journal: FakeReceipts, world: FakeWorld, orchestrator: string) {
  const launcher = new FakeLauncher(world.log)
  const special = Object.fromEntries(Object.entries(counts).map(([layer, count]) => [layer, { effects: count }]))
  const pipeline = new EnforcementPipeline({
    plugins: fakeLayers(world, special),
    host: fakeHost,
    launcher,
    journal,
    orchestrator: () => orchestrator,
    isAlive: ({ pid }) => pid === 2,
    hookLimits: patient,
  })
  return { launcher, pipeline }
}

/** Every step that a launch takes, and how it ends when step `at` is `broken`. */
async function run(counts: Record<string, number>, at: number, broken: (name: string) => void | Promise<void>) {
  const world = new FakeWorld()
  const journal = new FakeReceipts()
  journal.processes = [{ id: 'orc_1', pid: 1, startTime: '1', heartbeatAt: 0 }]
  let steps = 0
  world.step = (name) => {
    steps += 1
    // An effect must never happen without its receipt being on disk.
    const missing = [...world.effects].filter(
      (effect) => !journal.receipts().some(({ receipt }) => JSON.stringify(receipt.data).includes(effect)),
    )
    expect(missing).toEqual([])
    return steps === at ? broken(name) : undefined
  }
  const { launcher, pipeline } = setting(counts, journal, world, 'orc_1')
  return { world, journal, launcher, pipeline, steps: () => steps }
}

test('an error at any step of a launch leaves no effect, no receipt and nothing running', async () => {
  let refused = 0
  await fc.assert(
    fc.asyncProperty(effects, fc.integer({ min: 1, max: 60 }), async (counts, at) => {
      const { world, journal, launcher, pipeline, steps } = await run(counts, at, () => {
        throw new Error('broken')
      })
      const outcome = await pipeline.enter(enterRequest()).then(
        async (enforced) => enforced[Symbol.asyncDispose]().then(() => 'ended', String),
        (error: unknown) => String(error),
      )
      if (outcome !== 'ended') refused += 1
      expect(outcome === 'ended').toBe(steps() < at)
      expect([...world.effects]).toEqual([])
      expect(journal.receipts()).toEqual([])
      expect(launcher.sandboxes.filter(({ started, alive }) => started || alive)).toEqual([])
    }),
    { numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(50)
})

test('after the process is gone at any step, the next start undoes everything, once and for all', async () => {
  let recovered = 0
  await fc.assert(
    fc.asyncProperty(effects, fc.integer({ min: 1, max: 40 }), async (counts, at) => {
      let died = false
      const dead = await run(counts, at, () => {
        died = true
        return new Promise<void>(() => undefined)
      })
      // The dead process stays at its step for ever; nothing of it runs again.
      await Promise.race([dead.pipeline.enter(enterRequest()), new Promise((resolve) => setTimeout(resolve, 3))])
      dead.world.step = () => undefined
      const before = dead.journal.receipts().length
      dead.journal.processes = [...dead.journal.processes, { id: 'orc_2', pid: 2, startTime: '2', heartbeatAt: 0 }]
      const next = setting(counts, dead.journal, dead.world, 'orc_2').pipeline
      const lines = await next.recover()
      expect(lines).toHaveLength(before)
      expect([...dead.world.effects]).toEqual([])
      expect(dead.journal.receipts()).toEqual([])
      expect(await next.recover()).toEqual([])
      if (died && before > 0) recovered += 1
    }),
    { numRuns: 100 },
  )
  expect(recovered).toBeGreaterThan(20)
})
