import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EnvironmentSpec } from '../../../../core/contracts/index.ts'
import { ReceiptFiles } from '../../../../core/journal/receipt-files.ts'
import { fileSecurity, isAlive, processIdentity } from '../../../../native/index.ts'
import { Walls } from '../walls.ts'
import type { CrashRequest } from './orchestrator.ts'
import { desktops, namesBelow, processes } from './world.ts'

/** One death: the step at which it came, and whatever is not as it was before. */
export interface Death {
  readonly step: string
  /** Before the next start: what there was to be put back. */
  readonly met: readonly string[]
  readonly left: readonly string[]
}

/** What is looked at before a launch and after the recovery from it; every value must be the same. */
export type Look = () => Readonly<Record<string, unknown>>

/**
 * Kills an orchestrator at each step of a launch in turn, starts the next one, and compares. Ends with a launch that nobody killed, whose
 * clean-up is held to the same.
 */
export async function dieAtEveryStep(environment: EnvironmentSpec, look: Look): Promise<readonly Death[]> {
  mkdirSync(homedir(), { recursive: true })
  const home = mkdtempSync(join(homedir(), 'crash-'))
  const stage = process.env['BULKHEAD_STAGE'] ?? ''
  mkdirSync(join(home, 'granted'))
  writeFileSync(join(home, 'granted', 'file'), '')
  const deaths: Death[] = []
  for (let fatal = 1; ; fatal++) {
    const before = worldOf(home, look)
    const log = join(home, 'log')
    const request: CrashRequest = {
      environment,
      home,
      workspace: `w${fatal}`,
      read: [stage, dirname(process.execPath), join(home, 'granted')],
      fatal,
      log,
    }
    const lines = await orchestrate(request)
    const finished = lines.at(-1) === 'end'
    const met = differences(before, worldOf(home, look))
    const recovered = finished ? [] : await startAgain(request)
    // Ended by the kernel after their supervisor, not in the same moment.
    const after = await settled(() => worldOf(home, look), before)
    const faults = [...lines, ...recovered].filter((line) => line.startsWith('failed: ') || line.startsWith('kept '))
    deaths.push({ step: finished ? 'none' : (lines.at(-1) ?? 'nothing'), met, left: [...faults, ...differences(before, after)] })
    rmSync(join(home, `w${fatal}`), { recursive: true, force: true, maxRetries: 10 })
    if (finished || lines.at(-1)?.startsWith('failed: ') === true) break
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 10 })
  return deaths
}

function worldOf(home: string, look: Look): Readonly<Record<string, unknown>> {
  return {
    programs: processes()
      .filter(({ pid }) => pid !== process.pid)
      .map(({ program }) => program)
      .filter((program) => /^(node|bulkhead)/i.test(program))
      .toSorted(),
    desktops: desktops(),
    receipts: namesBelow(join(home, 'receipts')),
    granted: [home, join(home, 'granted'), join(home, 'granted', 'file')].map((path) => fileSecurity().read(path, 'access')?.sddl),
    making: namesBelow(home).filter((name) => name.includes('.making')),
    ...look(),
  }
}

async function settled(read: () => Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, unknown>>) {
  let seen = read()
  for (let waited = 0; waited < 60 && differences(wanted, seen).length > 0; waited++) {
    await sleep(50)
    seen = read()
  }
  return seen
}

function differences(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(before)
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => `${key}: ${JSON.stringify(before[key])} became ${JSON.stringify(after[key])}`)
}

/** What the next start does: settles receipts, and removes a workspace that is half-made, as `workspaces/` would. */
async function startAgain({ environment, home, workspace }: CrashRequest): Promise<readonly string[]> {
  const receipts = new ReceiptFiles({ directory: join(home, 'receipts'), self: processIdentity(process.pid) })
  await using walls = new Walls(environment, { journal: receipts, orchestrator: () => receipts.id, isAlive }, home)
  const lines = await walls.enforcement.recover()
  // Whatever it was that had begun is written down nowhere else.
  receipts.receipts()
  rmSync(join(home, `${workspace}.making`), { recursive: true, force: true, maxRetries: 10 })
  return lines
}

async function orchestrate(request: CrashRequest): Promise<readonly string[]> {
  const file = join(request.home, 'request.json')
  writeFileSync(file, JSON.stringify(request))
  writeFileSync(request.log, '')
  const script = join(process.env['BULKHEAD_STAGE'] ?? '', 'dist', 'test', 'windows', 'support', 'crash', 'orchestrator.js')
  const child = spawn(process.execPath, [script, file], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
  return readFileSync(request.log, 'utf8').trimEnd().split('\n')
}
