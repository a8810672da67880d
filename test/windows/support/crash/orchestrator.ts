/**
 * An orchestrator that dies: node orchestrator.js <request.json>. Runs one job behind the walls, counts its steps into `log`, and ends
 * itself at step `fatal`.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EnvironmentSpec } from '../../../../core/contracts/index.ts'
import { ReceiptFiles } from '../../../../core/journal/receipt-files.ts'
import { createLauncher, isAlive, processIdentity } from '../../../../native/index.ts'
import { layerPlugins } from '../../../../plugins/index.ts'
import { Walls } from '../walls.ts'
import { Steps } from './steps.ts'

export interface CrashRequest {
  readonly environment: EnvironmentSpec
  readonly home: string
  readonly workspace: string
  readonly read: readonly string[]
  readonly fatal: number
  readonly log: string
}

const request = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as CrashRequest
const { environment, home, log, fatal } = request
const identity = processIdentity(process.pid)
const receipts = new ReceiptFiles({
  directory: join(home, 'receipts'),
  self: identity,
})
const steps = new Steps(fatal, (line) => appendFileSync(log, `${line}\n`))
const parts = {
  plugins: new Map([...layerPlugins].map(([id, plugin]) => [id, steps.plugin(plugin)])),
  launcher: steps.launcher(createLauncher()),
  journal: steps.journal(receipts),
  orchestrator: () => receipts.id,
  isAlive,
}

/** Beats as long as it lives, in a process of its own and in a child. */
const beat = `
const beat = (file) => { setInterval(() => require('fs').appendFileSync(file, '.'), 20); setTimeout(() => process.exit(), 60000) }
require('child_process').spawn(process.execPath, ['-e', 'const beat = ' + beat + '; beat("child")'], { stdio: 'ignore' })
beat('agent')`

async function run(): Promise<void> {
  await using walls = new Walls(environment, parts, home)
  const workspace = await walls.workspace(request.workspace, {})
  await using entered = await walls.enter(workspace, [process.execPath, '-e', beat], {
    filesystem: { read: request.read, write: [], deny: [] },
  })
  await entered.sandbox.start()
  await sleep(300)
  steps.reach('running')
}

try {
  await run()
  appendFileSync(log, 'end\n')
} catch (error) {
  appendFileSync(log, `failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
