import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
import { openJournal } from '../../../core/journal/index.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import { fakeLayers } from '../../support/fake-layer.ts'
import { fakeHost } from '../../support/fake-request.ts'
import { packageRoot } from '../../support/host.ts'
import { DirectoryWorld } from '../../support/receipt-victim.ts'

let home: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-recovery-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Runs an orchestrator that dies at step `last`, then starts another one on the same journal. */
async function dieAndRecover(last: number) {
  const effects = join(home, `effects-${last}`)
  const file = join(home, `journal-${last}.db`)
  mkdirSync(effects)
  const argv = ['--import', 'tsx', join(packageRoot, 'test/support/receipt-victim.ts'), file, effects, String(last)]
  const victim = spawnSync(process.execPath, argv, { cwd: packageRoot, encoding: 'utf8' })
  const left = readdirSync(effects).length
  using journal = openJournal({ file, isAlive: () => false })
  const receipts = journal.receipts().length
  const orchestrator = journal.register({ pid: process.pid, startTime: 'next' })
  const pipeline = new EnforcementPipeline({
    plugins: fakeLayers(new DirectoryWorld(effects)),
    host: fakeHost,
    launcher: new FakeLauncher(),
    journal,
    orchestrator: () => orchestrator,
    isAlive: ({ startTime }) => startTime === 'next',
  })
  const lines = (await pipeline.recover()).length
  return {
    ended: victim.signal ?? victim.status,
    printed: victim.stdout,
    left,
    receipts,
    lines,
    after: readdirSync(effects),
    unsettled: journal.receipts(),
    again: await pipeline.recover(),
  }
}

test('an orchestrator killed by SIGKILL in the middle leaves effects, and the next start undoes them all', async () => {
  const nothing = { after: [], unsettled: [], again: [] }
  // Between the fourth receipt and its effect.
  expect(await dieAndRecover(9)).toEqual({ ended: 'SIGKILL', printed: '', left: 3, receipts: 4, lines: 4, ...nothing })
  // Everything is applied and being verified.
  expect(await dieAndRecover(26)).toEqual({ ended: 'SIGKILL', printed: '', left: 8, receipts: 8, lines: 8, ...nothing })
  // While undoing: one effect is gone, and its receipt is still there.
  expect(await dieAndRecover(31)).toEqual({ ended: 'SIGKILL', printed: '', left: 7, receipts: 8, lines: 8, ...nothing })
  // The control: one that is not killed leaves nothing to do.
  expect(await dieAndRecover(0)).toEqual({ ended: 0, printed: '40', left: 0, receipts: 0, lines: 0, ...nothing })
})
