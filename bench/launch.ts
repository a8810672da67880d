import { spawn } from 'node:child_process'
import { accessSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { composeCommand } from '../core/compose.ts'
import type { CommandApp } from '../core/compose.ts'
import type { LaunchSpec } from '../core/contracts/index.ts'
import { createLauncher } from '../native/index.ts'
import { compare, median, printTable } from './measure.ts'
import type { Contender } from './measure.ts'

/** The page tables of a process that has been at work for a while. */
const residentBytes = 2 ** 30
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 51)

/** What a user would take instead, and ours: a whole process each, but for the last, which is what every job of a queue costs. */
export async function benchLaunch(root: string): Promise<void> {
  const workspace = await mkdtemp('/var/tmp/bulkhead-bench-')
  const app = await composeCommand({ directory: workspace, variables: process.env, configFile: null, environment: null })
  const bwrap = findBwrap()
  const contenders: Contender[] = [
    { name: 'plain spawn', run: () => wait(['/bin/true']) },
    ...(bwrap === null ? [] : [{ name: 'bwrap, full isolation', run: () => wait(bwrapArguments(bwrap, workspace)) }]),
    { name: 'bulkhead exec', run: () => wait([process.execPath, join(root, 'dist/cli/main.js'), 'exec', '--', 'true'], workspace) },
    { name: 'inside a running orchestrator', run: () => launch(app, workspace) },
  ]
  try {
    const timings = await compare(contenders, rounds)
    printTable('launch of `true`, until it has ended', timings, 'plain spawn')
    if (bwrap === null) console.log('bwrap is not installed (Debian: bubblewrap), so there is no ratio to it')
    await printConcurrent(app, workspace)
    await printBlocking(workspace)
  } finally {
    await app[Symbol.asyncDispose]()
    await rm(workspace, { recursive: true, force: true })
  }
}

/** All four layers: plan, apply, launch, attack, start, end, undo. */
async function launch({ configuration, enforcement }: CommandApp, workspace: string): Promise<void> {
  const environment = configuration.environments[configuration.environment]
  if (environment === undefined) throw new Error('the default environment is missing')
  const { uid, gid } = await stat(workspace)
  await using run = await enforcement.enter({
    job: 'bench',
    environment,
    policy: configuration.policy,
    workspace: { path: workspace, gitDirectory: null, objectStores: [], owner: { uid, gid } },
    command: { argv: ['true'], directory: workspace, environment: {} },
    stdio: { kind: 'pipes' },
    signal: new AbortController().signal,
    onDenial: () => undefined,
  })
  await run.sandbox.start()
  await run.sandbox.exited
}

async function printConcurrent(app: CommandApp, workspace: string): Promise<void> {
  for (const width of [1, 8, 64]) {
    const begin = performance.now()
    const loop = performance.eventLoopUtilization()
    await Promise.all(Array.from({ length: width }, () => launch(app, workspace)))
    const each = (performance.now() - begin) / width
    const busy = performance.eventLoopUtilization(loop).active / width
    const count = String(width).padStart(3)
    console.log(`${count} at once inside the orchestrator: ${each.toFixed(2)} ms each, of which ${busy.toFixed(2)} ms of the event loop`)
  }
}

/**
 * What a launch does in one piece, and nothing else can happen meanwhile: until the helper has the plan. Beside it what Node's own spawn
 * does in one piece, which copies the page tables of the whole process.
 */
async function printBlocking(workspace: string): Promise<void> {
  await using launcher = createLauncher()
  const spec: LaunchSpec = {
    command: { argv: ['/bin/true'], directory: workspace, environment: {} },
    token: null,
    filesystem: null,
    network: null,
    interception: null,
    limits: { processes: null, openFiles: null },
  }
  const resident = Buffer.alloc(residentBytes, 1)
  const pieces = { launch: [] as number[], spawn: [] as number[] }
  for (let round = -2; round < rounds; round++) {
    const begin = performance.now()
    const launching = launcher.launch(spec, { kind: 'pipes' })
    if (round >= 0) pieces.launch.push(performance.now() - begin)
    await using sandbox = await launching
    await sandbox.start()
    await sandbox.exited
    const before = performance.now()
    const child = spawn('/bin/true', { stdio: 'pipe' })
    if (round >= 0) pieces.spawn.push(performance.now() - before)
    await new Promise((resolve) => child.once('close', resolve))
  }
  const [ours, node] = [median(pieces.launch), median(pieces.spawn)]
  console.log(
    `event loop blocked in one piece, ${resident.length / 2 ** 30} GiB resident: a launch ${ours.toFixed(2)} ms, one spawn of Node’s ${node.toFixed(2)} ms (x${(ours / node).toFixed(2)})`,
  )
}

function findBwrap(): string | null {
  try {
    accessSync('/usr/bin/bwrap')
    return '/usr/bin/bwrap'
  } catch {
    return null
  }
}

function bwrapArguments(bwrap: string, workspace: string): string[] {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`])
  const mounts = [
    '--ro-bind',
    '/usr',
    '/usr',
    '--ro-bind',
    '/etc',
    '/etc',
    '--bind',
    workspace,
    workspace,
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
  ]
  return [bwrap, ...mounts, ...links, '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv', '/bin/true']
}

function wait([program = '', ...args]: readonly string[], cwd?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore', ...(cwd === undefined ? {} : { cwd }) })
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))))
  })
}
