import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfinedRuns } from '../../core/agents/runs.ts'
import type { AgentRunRequest, Denial, EnvironmentSpec, LayerPlugin, LaunchSpec, Policy } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { EnforcementPipeline } from '../../core/enforcement/pipeline.ts'
import { openJournal } from '../../core/journal/index.ts'
import { createHost, createLauncher, isAlive, processIdentity } from '../../native/index.ts'
import { layerPlugins } from '../../plugins/index.ts'
import { emptyPolicy } from './fake-request.ts'

/**
 * An orchestrator of the real parts, as whoever starts it: `enforced-driver.ts <home> <what>`. `all` runs every scenario and prints what came
 * of each as JSON; `hang` starts one that stays until this process is killed; `recover` settles what others left.
 */
const [, , home = '', what = 'all'] = process.argv
const place = (...parts: string[]): string => join(home, ...parts)
const workspace = place('ws')
for (const directory of ['ws', 'outside', 'tmp', 'home', 'state']) mkdirSync(place(directory), { recursive: true, mode: 0o700 })
writeFileSync(place('secret.txt'), 'the secret\n')

const linux = environment('linux', ['fs-view', 'token-userns', 'net-gateway', 'intercept-seccomp'])
const none = environment('none', ['fs-none', 'token-none', 'net-none', 'intercept-none'])

function environment(name: string, [filesystem = '', token = '', network = '', interception = '']: readonly string[]): EnvironmentSpec {
  const layers = Object.fromEntries(
    Object.entries({ filesystem, token, network, interception }).map(([layer, plugin]) => [layer, { plugin, options: {} }]),
  ) as unknown as EnvironmentSpec['layers']
  return { name, layers, degrade: [] }
}

const journal = openJournal({ file: place('state', 'journal.db'), isAlive })
const orchestrator = journal.register(processIdentity(process.pid) ?? { pid: process.pid, startTime: '' })
const launcher = createLauncher()
const complaints: string[] = []
const complain = (fields: object, message: string): void => void complaints.push(`${message} ${JSON.stringify(fields)}`)

function pipeline(plugins: ReadonlyMap<string, LayerPlugin> = layerPlugins): EnforcementPipeline {
  return new EnforcementPipeline({ plugins, host: createHost(launcher), launcher, journal, orchestrator: () => orchestrator, isAlive })
}

const usual = pipeline()
let count = 0

interface Wish {
  readonly environment?: EnvironmentSpec
  readonly policy?: Partial<Policy>
  readonly limits?: Partial<Policy['limits']>
  readonly files?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly signal?: AbortSignal
  readonly enforcement?: EnforcementPipeline
  readonly graceMs?: number
  /** Default: the one of all others. */
  readonly directory?: string
}

/** One run; what came of it in plain data. */
async function run(argv: readonly string[], wish: Wish = {}) {
  const number = ++count
  const path = wish.directory ?? workspace
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid, gid } = statSync(path)
  const seen = { order: [] as string[], tiers: [] as string[], evidence: [] as string[], denials: [] as Denial[], pid: 0 }
  const request: AgentRunRequest = {
    job: `job_${String(number).padStart(12, '0')}`,
    environment: wish.environment ?? linux,
    policy: { ...emptyPolicy, ...wish.policy, limits: { ...emptyPolicy.limits, processes: null, ...wish.limits } },
    workspace: { path, gitDirectory: null, objectStores: [], owner: { uid, gid } },
    command: { argv, environment: {}, stdin: wish.stdin ?? null, files: wish.files ?? {} },
    variables: { BULKHEAD_WORKSPACE_NAME: 'ws' },
    scratch: place('state', 'repository', 'scratch', `run-${number}`),
    logFile: place('state', 'logs', `run-${number}.log`),
    signal: wish.signal ?? new AbortController().signal,
    observer: {
      prepared: (plan) => {
        seen.order.push('prepared')
        seen.tiers = plan.layers.map(({ plugin, tier }) => `${plugin} ${tier}`)
      },
      verified: (evidence) => {
        seen.order.push('verified')
        seen.evidence = evidence.map(({ claim, held }) => `${claim} ${held ? 'held' : 'BROKEN'}`)
      },
      started: ({ pid }) => {
        seen.order.push('started')
        seen.pid = pid
      },
      denied: (denial) => seen.denials.push(denial),
    },
  }
  const runs = new ConfinedRuns({
    enforcement: wish.enforcement ?? usual,
    logger: { debug: complain, info: complain, warn: complain, error: complain },
    graceMs: wish.graceMs ?? 1_000,
  })
  const begun = performance.now()
  const outcome = await runs.run(request).then(
    (result) => ({ result, error: null }),
    (error: unknown) => ({ result: null, error: `${BulkheadError.from(error).code}: ${BulkheadError.from(error).message}` }),
  )
  return { ...outcome, ...seen, log: readFileSync(request.logFile, 'latin1'), scratch: request.scratch, ms: performance.now() - begun }
}

/** What the agent of the scenario `walls` does, and prints. */
const agent = (port: number): string => `
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
const attempt = (work) => { try { return String(work()) } catch (error) { return error.code } }
const answer = await new Promise((resolve) => {
  const socket = connect(${port}, '127.0.0.1')
  socket.on('data', (data) => resolve(String(data)))
  socket.on('error', (error) => resolve(error.code))
  socket.on('close', () => resolve('closed'))
})
console.log(JSON.stringify({
  directory: process.cwd(),
  environment: [process.env.LANG, process.env.BULKHEAD_WORKSPACE_NAME],
  hostVariables: Object.keys(process.env).filter((name) => name === 'DRIVER_SECRET'),
  stdin: readFileSync(0, 'utf8'),
  secret: attempt(() => readFileSync(${JSON.stringify(place('secret.txt'))}, 'utf8')),
  outside: attempt(() => writeFileSync(${JSON.stringify(place('outside', 'planted'))}, 'x')),
  inside: attempt(() => writeFileSync('made.txt', 'made')),
  scratch: attempt(() => writeFileSync(new URL('planted', import.meta.url), 'x')),
  orchestrator: attempt(() => process.kill(${process.pid}, 0)),
  network: answer,
  uid: process.getuid(),
  capabilities: /CapEff:\\s*(\\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
}))
`

async function walls(environment: EnvironmentSpec) {
  const server = createServer((socket) => socket.end('hello from the host')).listen(0, '127.0.0.1')
  await sleep(5)
  const { port } = server.address() as AddressInfo
  const scratch = place('state', 'repository', 'scratch', `run-${count + 1}`)
  const files = { 'agent.mjs': agent(port) }
  const ended = await run([process.execPath, join(scratch, 'agent.mjs')], { environment, files, stdin: 'the prompt' })
  server.close()
  return { ...ended, said: ended.log.startsWith('{') ? (JSON.parse(ended.log) as object) : ended.log, made: readdirSync(workspace) }
}

/** The real plugins, but one of them leaves its wall out without saying so. */
function holeIn(id: string, leaveOut: (spec: LaunchSpec, before: LaunchSpec) => LaunchSpec): EnforcementPipeline {
  const plugin = layerPlugins.get(id)
  if (plugin === undefined) throw new Error(`no plugin ${id}`)
  const broken: LayerPlugin = {
    ...plugin,
    apply: async (plan, context) => {
      const layer = await plugin.apply(plan, context)
      return {
        contribute: (spec) => leaveOut(layer.contribute(spec), spec),
        attach: async (sandbox) => layer.attach?.(sandbox),
        verify: (probe) => layer.verify(probe),
        [Symbol.asyncDispose]: () => layer[Symbol.asyncDispose](),
      }
    },
  }
  return pipeline(new Map([...layerPlugins, [id, broken]]))
}

function canaries(): readonly string[] {
  return readdirSync(place('tmp')).filter((name) => name.startsWith('bulkhead-'))
}

function running(marker: string): number {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(marker)
    } catch {
      return false
    }
  }).length
}

/** A number of seconds for sleep(1) that names one process tree of this test. */
const marker = `${4000 + (process.pid % 1000)}.${process.pid}`

async function all() {
  const stop = new AbortController()
  const touch = ['touch', 'ran']
  const results = {
    control: await walls(none),
    walls: await walls(linux),
    orphans: await run(['sh', '-c', `(setsid sleep ${marker} & ) ; sleep ${marker} & echo left; exit 7`]),
    orphansLeft: running(marker),
    time: await run(['sh', '-c', `trap "" TERM; echo deaf; while :; do sleep ${marker}; done`], { limits: { timeMs: 150 }, graceMs: 100 }),
    obedient: await run(['sh', '-c', `trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.02; done`], { limits: { timeMs: 150 } }),
    stall: await run(['sleep', marker], { limits: { stallMs: 100 } }),
    output: await run(['yes'], { limits: { outputBytes: 100_000 } }),
    missing: await run(['no-such-program']),
    notExecutable: await run(['/etc/passwd']),
    rule: await run(['sh', '-c', 'echo before; /usr/bin/env; echo after'], {
      policy: { interception: [{ on: 'process.exec', match: '/usr/bin/env', action: 'kill' }] },
    }),
    denied: await run(['sh', '-c', '/usr/bin/env; echo after'], {
      policy: { interception: [{ on: 'process.exec', match: '/usr/bin/env', action: 'deny' }] },
    }),
    unsupported: await run(touch, { policy: { interception: [{ on: 'registry.write', match: '**', action: 'deny' }] } }),
    holes: {
      filesystem: await run(touch, {
        enforcement: holeIn('fs-view', (spec) => ({ ...spec, filesystem: null })),
      }),
      interception: await run(touch, {
        enforcement: holeIn('intercept-seccomp', (spec) => ({ ...spec, interception: null })),
      }),
      network: await run(touch, {
        enforcement: holeIn('net-gateway', (spec) => ({ ...spec, network: null })),
      }),
      token: await run(touch, {
        enforcement: holeIn('token-userns', (spec) => ({ ...spec, token: null })),
      }),
    },
    ran: readdirSync(workspace).includes('ran'),
    abort: await (async () => {
      setTimeout(() => stop.abort('shutdown'), 150)
      return run(['sleep', marker], { signal: stop.signal })
    })(),
    parallel: await Promise.all(
      Array.from({ length: 12 }, (_, index) => run(['sh', '-c', `echo ${index}`], { directory: place(`ws-${index}`) })),
    ),
    left: { processes: running(marker), receipts: journal.receipts(), canaries: canaries() },
    complaints,
  }
  return results
}

/** What `all` prints. */
export type Outcome = Awaited<ReturnType<typeof all>>

const outcome = what === 'recover' ? { lines: await usual.recover(), again: await usual.recover(), canaries: canaries() } : undefined
if (what === 'hang') {
  process.stdout.write(`${marker}\n`)
  await run(['sh', '-c', `(setsid sleep ${marker} &); echo up > up; sleep ${marker}`])
}
process.stdout.write(JSON.stringify(outcome ?? (await all())))
journal.unregister(orchestrator)
journal[Symbol.dispose]()
await launcher[Symbol.asyncDispose]()
