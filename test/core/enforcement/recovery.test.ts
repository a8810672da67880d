import { expect, test } from 'vitest'
import { PluginDriver } from '../../../core/enforcement/driver.ts'
import { recoverReceipts } from '../../../core/enforcement/recovery.ts'
import { LayerRegistry } from '../../../core/enforcement/registry.ts'
import { fakeLayers, FakeWorld } from '../../support/fake-layer.ts'
import type { FakeLayerOptions } from '../../support/fake-layer.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'

const orchestrator = (id: string, pid: number) => ({ id, pid, startTime: String(pid), heartbeatAt: 0 })

function setting(token: FakeLayerOptions = {}) {
  const world = new FakeWorld()
  const journal = new FakeReceipts()
  // Ours, one that runs, one that died without a word; a fourth is not even registered any more.
  journal.processes = [orchestrator('ours', 1), orchestrator('running', 2), orchestrator('dead', 3)]
  const parts = {
    journal,
    orchestrator: 'ours',
    isAlive: ({ pid }: { pid: number }) => pid === 2,
    registry: new LayerRegistry(fakeLayers(world, { token })),
    driver: new PluginDriver({ probe: 20, prepare: 20, apply: 20, attach: 20, verify: 20, dispose: 20, recover: 20, setup: 20 }),
  }
  const record = (owner: string, plugin: string, name: string) => {
    world.effects.add(name)
    journal.record({ orchestrator: owner, job: `job_${owner}` }, { plugin, data: { name } })
  }
  return { world, journal, parts, record }
}

test('only what is left of processes that are gone is undone, last first', async () => {
  const { world, journal, parts, record } = setting()
  record('dead', 'token-fake', 'a')
  record('ours', 'token-fake', 'b')
  record('running', 'network-fake', 'c')
  record('forgotten', 'network-fake', 'd')
  record('dead', 'network-fake', 'e')
  expect(await recoverReceipts(parts)).toEqual([
    'undid what network-fake had begun for job_dead',
    'undid what network-fake had begun for job_forgotten',
    'undid what token-fake had begun for job_dead',
  ])
  expect(world.log).toEqual(['undo e', 'undo d', 'undo a'])
  expect([...world.effects]).toEqual(['b', 'c'])
  expect(journal.receipts().map(({ orchestrator: owner }) => owner)).toEqual(['ours', 'running'])
  expect(await recoverReceipts(parts)).toEqual([])
})

test('what cannot be undone is kept and told, and does not keep the rest', async () => {
  const { journal, parts, record } = setting({
    replace: {
      recover: async () => {
        throw new Error('busy')
      },
    },
  })
  record('dead', 'network-fake', 'a')
  record('dead', 'token-fake', 'b')
  record('dead', 'disk-gone', 'c')
  const lines = [
    'kept what disk-gone had begun for job_dead: plugin "disk-gone" is not installed, so it cannot be undone',
    'kept what token-fake had begun for job_dead: plugin "token-fake", recover: busy',
  ]
  expect(await recoverReceipts(parts)).toEqual([...lines, 'undid what network-fake had begun for job_dead'])
  expect(await recoverReceipts(parts)).toEqual(lines)
  expect(journal.receipts().map(({ receipt }) => receipt.plugin)).toEqual(['token-fake', 'disk-gone'])
})

test('a recover that hangs is bounded', async () => {
  const { parts, record } = setting({ replace: { recover: () => new Promise(() => undefined) } })
  record('dead', 'token-fake', 'a')
  expect(await recoverReceipts(parts)).toEqual([
    'kept what token-fake had begun for job_dead: plugin "token-fake", recover: it did not come back within 20 ms',
  ])
})

test('two processes that start at once do not recover at the same time', async () => {
  const { world, journal, parts, record } = setting()
  record('dead', 'token-fake', 'a')
  const [first, second] = await Promise.all([recoverReceipts(parts), recoverReceipts(parts)])
  expect([first, second]).toEqual([['undid what token-fake had begun for job_dead'], []])
  expect(world.log).toEqual(['undo a'])
  expect(journal.locked).toEqual(new Set())
})
