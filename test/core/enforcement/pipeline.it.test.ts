import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from '../../support/host.ts'
import type { Outcome } from '../../support/enforced-driver.ts'

const driver = join(packageRoot, 'test', 'support', 'enforced-driver.ts')
const tiers = ['fs-view full', 'token-userns full', 'net-gateway full', 'intercept-seccomp full']
const any = expect.any(Number) as number

beforeAll(() => execFileSync(process.execPath, [join(packageRoot, 'native', 'build.mjs')], { stdio: 'ignore' }))

interface User {
  readonly prefix: readonly string[]
  readonly uid: number
}
const whoever = process.getuid?.() ?? -1
const users: Record<string, User> = {
  'whoever runs this': { prefix: [], uid: whoever },
  ...(hostHas('ordinary-user') && { 'an ordinary user': { prefix: asOrdinaryUser, uid: ordinaryUser.uid } }),
}

function makeHome({ uid }: User): string {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-pipeline-')))
  if (uid !== whoever) chownSync(home, uid, uid)
  return home
}

function command(
  { prefix }: User,
  home: string,
  what: string,
): { readonly argv: readonly [string, ...string[]]; readonly env: NodeJS.ProcessEnv } {
  const env = { PATH: process.env['PATH'], HOME: join(home, 'home'), TMPDIR: join(home, 'tmp'), BULKHEAD_STATE: join(home, 'state') }
  return {
    argv: [...prefix, process.execPath, '--import', 'tsx', driver, home, what] as unknown as [string, ...string[]],
    env: { ...env, DRIVER_SECRET: 'not for agents' },
  }
}

function drive(user: User, home: string, what: string): string {
  const { argv, env } = command(user, home, what)
  const [program, ...rest] = argv
  return execFileSync(program, rest, { cwd: packageRoot, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 50_000 })
}

describe.runIf(hostHas('user-namespace')).each(Object.entries(users))('the real layers, as %s', (_, user) => {
  let home: string
  let outcome: Outcome
  beforeAll(() => {
    home = makeHome(user)
    outcome = JSON.parse(drive(user, home, 'all')) as Outcome
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  test('every wall stands around the agent, and the same program passes each of them without the layers', () => {
    const { walls, control } = outcome
    const same = {
      directory: join(home, 'ws'),
      environment: ['C.UTF-8', 'ws'],
      hostVariables: [],
      stdin: 'the prompt',
      inside: 'undefined',
    }
    expect(control.said).toMatchObject({
      ...same,
      secret: 'the secret\n',
      outside: 'undefined',
      scratch: 'undefined',
      orchestrator: 'true',
      network: 'hello from the host',
      uid: user.uid,
    })
    expect(walls.said).toEqual({
      ...same,
      secret: 'ENOENT',
      outside: 'ENOENT',
      scratch: 'EROFS',
      orchestrator: 'ESRCH',
      network: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|closed)$/) as string,
      uid: user.uid === 0 ? 1000 : user.uid,
      capabilities: '0000000000000000',
    })
    expect(walls.tiers).toEqual(tiers)
    expect(walls.order).toEqual(['prepared', 'verified', 'started'])
    expect(walls.evidence.length).toBeGreaterThan(15)
    expect(walls.evidence.filter((line) => !line.endsWith(' held'))).toEqual([])
    expect(walls.made).toContain('made.txt')
  })

  test('what the agent leaves running ends with it', () => {
    expect(outcome.orphans).toMatchObject({ result: { code: 7, reason: 'exited' }, log: 'left\n' })
    expect(outcome.orphansLeft).toBe(0)
  })

  test('limits end the tree by force where a word is not heard or not due', () => {
    expect({ time: outcome.time.result, output: outcome.output.result }).toEqual({
      time: { code: null, signal: 'SIGKILL', reason: 'time', outputBytes: 5, durationMs: any },
      output: { code: null, signal: 'SIGKILL', reason: 'output', outputBytes: 100_000, durationMs: any },
    })
    expect(outcome.output.log).toBe('y\n'.repeat(50_000))
  })

  test('limits and abort begin with a word, and a program that hears it can end in its own way', () => {
    expect({ obedient: outcome.obedient.result, stall: outcome.stall.result, abort: outcome.abort.result }).toEqual({
      obedient: { code: 5, signal: null, reason: 'time', outputBytes: any, durationMs: any },
      stall: { code: null, signal: 'SIGTERM', reason: 'stall', outputBytes: 0, durationMs: any },
      abort: { code: null, signal: 'SIGTERM', reason: 'shutdown', outputBytes: 0, durationMs: any },
    })
    expect(outcome.obedient.log).toContain('bye\n')
  })

  test('a program that cannot be started is an error, after the walls were proven', () => {
    expect(outcome.missing).toMatchObject({ result: null, error: expect.stringMatching(/^launch_not_found: /) as string, tiers })
    expect(outcome.notExecutable).toMatchObject({ result: null, error: expect.stringMatching(/^launch_not_executable: /) as string })
  })

  test('rules: deny is an event and the agent goes on, kill is the end of it', () => {
    const denial = { layer: 'interception', plugin: 'intercept-seccomp', object: '/usr/bin/env', program: 'sh' }
    expect(outcome.denied).toMatchObject({ result: { code: 0, reason: 'exited' }, denials: [{ ...denial, action: 'deny' }] })
    // Two pipes, so the shell's complaint and its next line come in any order.
    expect(outcome.denied.log).toContain('after\n')
    expect(outcome.rule).toMatchObject({ result: { reason: 'rule' }, denials: [{ ...denial, action: 'kill' }], log: 'before\n' })
  })

  test('a policy that a layer cannot hold is refused before anything is made', () => {
    expect(outcome.unsupported).toMatchObject({
      result: null,
      error: expect.stringMatching(/^layer_unsupported: environment "linux": interception \(intercept-seccomp\) cannot hold: /) as string,
    })
  })

  test('a layer that left out its wall is found out, and the command never runs', () => {
    const { holes } = outcome
    expect(Object.values(holes).map(({ result, order }) => ({ result, order }))).toEqual(
      Object.values(holes).map(() => ({ result: null, order: [] })),
    )
    expect(holes.interception.error).toMatch(/^layer_unverified: interception \(intercept-seccomp\): .*does not hold/)
    // For root the workspace itself is out of reach without the view, so the launch already fails.
    expect(holes.filesystem.error).toMatch(
      user.uid === 0 ? /^(native_failed|layer_unverified): / : /^layer_unverified: filesystem \(fs-view\): /,
    )
    expect(holes.network.error).toMatch(/^(plugin_failed: plugin "net-gateway", attach: |layer_unverified: network)/)
    expect(holes.token.error).toMatch(/^(native_failed|layer_unverified): /)
    expect(outcome.ran).toBe(false)
  })

  test('twelve at once, and nothing of all this is left', () => {
    expect(outcome.parallel.map(({ result, log }) => [result?.code, log])).toEqual(
      Array.from({ length: 12 }, (_, index) => [0, `${index}\n`]),
    )
    expect(outcome.left).toEqual({ processes: 0, receipts: [], canaries: [] })
    expect(readdirSync(join(home, 'state', 'repository', 'scratch'))).toEqual([])
    expect(outcome.complaints).toEqual([])
  })

  test('kill -9 of the orchestrator ends the agent’s tree, and the next start settles what was left', async () => {
    const { argv, env } = command(user, home, 'hang')
    const [program, ...rest] = argv
    const child = spawn(program, rest, { cwd: packageRoot, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let marker = ''
    child.stdout.on('data', (chunk: Buffer) => (marker += chunk.toString().trim()))
    await expect.poll(() => existsSync(join(home, 'ws', 'up')), { timeout: 20_000 }).toBe(true)
    expect(runningWith(marker)).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect.poll(() => runningWith(marker), { timeout: 5_000 }).toBe(0)
    expect(JSON.parse(drive(user, home, 'recover'))).toEqual({
      lines: [expect.stringMatching(/^undid what fs-view had begun for job_/) as string],
      again: [],
      canaries: [],
    })
  })
})

/** Processes that have `marker` as an argument. */
function runningWith(marker: string): number {
  expect(marker).not.toBe('')
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(marker)
    } catch {
      return false
    }
  }).length
}
