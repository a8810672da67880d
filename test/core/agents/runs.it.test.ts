import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { OutputLog } from '../../../core/agents/output-log.ts'
import { ConfinedRuns } from '../../../core/agents/runs.ts'
import { supervise } from '../../../core/agents/supervise.ts'
import type { AgentObserver, AgentRunRequest, RunControl } from '../../../core/contracts/agent.ts'
import { BulkheadError } from '../../../core/contracts/error.ts'
import type { Limits } from '../../../core/contracts/policy.ts'
import { emptySpec } from '../../../core/enforcement/launch-spec.ts'
import { FakeEnforcement } from '../../support/fake-enforcement.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import type { FakeBehaviour, FakeSandbox } from '../../support/fake-launcher.ts'
import { emptyPolicy, enterRequest } from '../../support/fake-request.ts'

let home: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-runs-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function setting(behaviour: FakeBehaviour = {}, graceMs = 40) {
  const enforcement = new FakeEnforcement()
  enforcement.launcher.behaviour = behaviour
  const complaints: string[] = []
  const complain = (_fields: object, message: string) => void complaints.push(message)
  const logger = { debug: complain, info: complain, warn: complain, error: complain }
  return { enforcement, complaints, runs: new ConfinedRuns({ enforcement, logger, graceMs }) }
}

function request(limits: Partial<Limits> = {}, change: Partial<AgentRunRequest> = {}): AgentRunRequest {
  const { job, environment, workspace } = enterRequest()
  return {
    job,
    environment,
    workspace,
    policy: { ...emptyPolicy, limits: { ...emptyPolicy.limits, ...limits } },
    command: { argv: ['agent', '--do'], environment: { A: 'adapter', B: 'adapter' }, stdin: null, files: {} },
    variables: { B: 'bulkhead' },
    scratch: join(home, 'scratch', 'run'),
    logFile: join(home, 'logs', 'job.log'),
    signal: new AbortController().signal,
    observer: {},
    ...change,
  }
}

const logOf = (one: AgentRunRequest) => readFileSync(one.logFile, 'utf8')

describe('a run that goes well', () => {
  test('asks for the walls with scratch readable, pipes, and the variables on top', async () => {
    const { runs, enforcement } = setting({ onStart: (sandbox) => sandbox.exit({ code: 0 }) })
    const one = request()
    const result = await runs.run(one)
    expect(result).toEqual({ code: 0, signal: null, reason: 'exited', outputBytes: 0, durationMs: expect.any(Number) as number })
    const [asked] = enforcement.requests
    expect({ policy: asked?.policy, command: asked?.command, stdio: asked?.stdio }).toEqual({
      policy: { ...one.policy, filesystem: { read: [one.scratch], write: [], deny: [] } },
      command: { argv: ['agent', '--do'], directory: '/ws/tree', environment: { A: 'adapter', B: 'bulkhead' } },
      stdio: { kind: 'pipes' },
    })
  })

  test('stdout and stderr go to the log as they come; a failure is a result', async () => {
    const { runs } = setting({
      onStart: (sandbox) => {
        sandbox.stdout?.write('out 1\n')
        setTimeout(() => sandbox.stderr?.write(Buffer.from([0x1b, 0x5b, 0x33, 0x31, 0x6d, 0xff, 0x0a])), 5)
        setTimeout(() => sandbox.stdout?.write('out 2\n'), 10)
        setTimeout(() => sandbox.exit({ code: 3 }), 15)
      },
    })
    const one = request()
    expect(await runs.run(one)).toMatchObject({ code: 3, reason: 'exited', outputBytes: 19 })
    expect(readFileSync(one.logFile)).toEqual(
      Buffer.concat([Buffer.from('out 1\n\x1b[31m'), Buffer.from([0xff]), Buffer.from('\nout 2\n')]),
    )
    expect(statSync(one.logFile).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, 'logs')).mode & 0o777).toBe(0o700)
  })

  test('the log is appended to and holds what was still in the pipes at the end', async () => {
    const { runs } = setting({
      onStart: (sandbox) => {
        for (let line = 0; line < 500; line++) sandbox.stdout?.write('0123456789')
        sandbox.exit({ signal: 'SIGSEGV' })
      },
    })
    const one = request()
    expect(await runs.run(one)).toMatchObject({ code: null, signal: 'SIGSEGV', outputBytes: 5000 })
    expect(await runs.run(one)).toMatchObject({ outputBytes: 5000 })
    expect(logOf(one)).toBe('0123456789'.repeat(1000))
  })

  test.each([
    ['the prompt', 'do this\n'],
    [null, ''],
  ])('stdin gets %j and is closed', async (stdin, expected) => {
    let got = ''
    const { runs } = setting({
      onStart: (sandbox) => {
        sandbox.stdin?.on('data', (chunk: Buffer) => (got += chunk.toString()))
        sandbox.stdin?.on('end', () => sandbox.exit({ code: 0 }))
      },
    })
    const one = request()
    await runs.run({ ...one, command: { ...one.command, stdin: expected === '' ? null : expected } })
    expect(got).toBe(expected)
  })

  test('files are there during the run, for nobody else, and gone after it', async () => {
    const seen: unknown[] = []
    const { runs, enforcement } = setting({ onStart: (sandbox) => sandbox.exit({ code: 0 }) })
    const one = request()
    mkdirSync(one.scratch, { recursive: true })
    writeFileSync(join(one.scratch, 'left-from-before'), 'x')
    enforcement.onEnter = () => {
      for (const name of readdirSync(one.scratch, { recursive: true, encoding: 'utf8' }).toSorted()) {
        const path = join(one.scratch, name)
        const stat = statSync(path)
        seen.push([name, stat.isFile() ? readFileSync(path, 'utf8') : 'directory', (stat.mode & 0o777).toString(8)])
      }
      seen.push((statSync(one.scratch).mode & 0o777).toString(8))
    }
    await runs.run({ ...one, command: { ...one.command, files: { 'prompt.md': 'do', 'deep/er/x.json': '{}' } } })
    expect(seen).toEqual([
      ['deep', 'directory', '700'],
      ['deep/er', 'directory', '700'],
      ['deep/er/x.json', '{}', '600'],
      ['prompt.md', 'do', '600'],
      '700',
    ])
    expect(existsSync(one.scratch)).toBe(false)
  })

  test('observers are told in order, and one that throws harms nothing', async () => {
    const told: string[] = []
    const throwing = (name: string) => () => {
      told.push(name)
      throw new Error('observer')
    }
    const { runs, enforcement, complaints } = setting({
      onStart: (sandbox) => {
        told.push('runs')
        setTimeout(() => {
          enforcement.requests[0]?.onDenial({} as never)
          sandbox.exit({ code: 0 })
        }, 5)
      },
    })
    const observer: AgentObserver = {
      prepared: throwing('prepared'),
      verified: throwing('verified'),
      started: throwing('started'),
      denied: throwing('denied'),
    }
    expect(await runs.run(request({}, { observer }))).toMatchObject({ code: 0, reason: 'exited' })
    expect(told).toEqual(['prepared', 'verified', 'runs', 'started', 'denied'])
    expect(complaints).toHaveLength(4)
  })
})

describe('limits', () => {
  /** Ends on SIGTERM like a good program. */
  const obedient: FakeBehaviour = { onSignal: (sandbox, signal) => sandbox.exit({ signal }) }

  test('time: SIGTERM, and a program that obeys is not killed', async () => {
    const { runs, enforcement } = setting(obedient, 10_000)
    expect(await runs.run(request({ timeMs: 30 }))).toMatchObject({ code: null, signal: 'SIGTERM', reason: 'time' })
    expect(enforcement.sandbox?.signals).toEqual(['SIGTERM'])
  })

  test('time: one that ignores SIGTERM is killed after the grace', async () => {
    const { runs } = setting({}, 60)
    const result = await runs.run(request({ timeMs: 30 }))
    expect(result).toMatchObject({ signal: 'SIGKILL', reason: 'time' })
    expect(result.durationMs).toBeGreaterThanOrEqual(89)
  })

  test('time is not extended by output', async () => {
    const { runs } = setting({
      ...obedient,
      onStart: (sandbox) => {
        const talk = setInterval(() => (sandbox.alive ? sandbox.stdout?.write('.') : clearInterval(talk)), 5)
      },
    })
    expect(await runs.run(request({ timeMs: 60, stallMs: 50 }))).toMatchObject({ reason: 'time' })
  })

  test('stall: silence ends it', async () => {
    const { runs } = setting(obedient)
    expect(await runs.run(request({ stallMs: 30, timeMs: 10_000 }))).toMatchObject({ reason: 'stall' })
  })

  test.each(['output', 'touch'])('stall: %s keeps it alive', async (sign) => {
    let control: RunControl | undefined
    const { runs } = setting({
      ...obedient,
      onStart: (sandbox) => {
        let beats = 0
        const beat = setInterval(() => {
          if (sign === 'output') sandbox.stderr?.write('.')
          else control?.touch()
          if (++beats < 12) return
          clearInterval(beat)
          if (sandbox.alive) sandbox.exit({ code: 0 })
        }, 20)
      },
    })
    const observer: AgentObserver = { started: (_process, given) => (control = given) }
    expect(await runs.run(request({ stallMs: 150 }, { observer }))).toMatchObject({ code: 0, reason: 'exited' })
  })

  test('a limit of more than 24.8 days does not fire at once', async () => {
    const { runs } = setting({ onStart: (sandbox) => void setTimeout(() => sandbox.exit({ code: 0 }), 20) })
    expect(await runs.run(request({ timeMs: 2 ** 32, stallMs: 2 ** 40 }))).toMatchObject({ reason: 'exited' })
  })

  test('output: killed at once, and the log ends exactly at the limit', async () => {
    const { runs, enforcement } = setting({
      onStart: (sandbox) => {
        sandbox.stdout?.write('a'.repeat(600))
        sandbox.stderr?.write('b'.repeat(600))
      },
    })
    const one = request({ outputBytes: 1000 })
    expect(await runs.run(one)).toMatchObject({ signal: 'SIGKILL', reason: 'output', outputBytes: 1000 })
    expect(enforcement.sandbox?.signals).toEqual([])
    expect(logOf(one)).toHaveLength(1000)
  })

  test('output: exactly the limit is allowed', async () => {
    const { runs } = setting({
      onStart: (sandbox) => {
        sandbox.stdout?.write('a'.repeat(1000))
        sandbox.exit({ code: 0 })
      },
    })
    expect(await runs.run(request({ outputBytes: 1000 }))).toMatchObject({ reason: 'exited', outputBytes: 1000 })
  })

  test('output that floods on after SIGTERM is cut short; the first reason stays', async () => {
    const { runs } = setting({ onSignal: (sandbox) => void sandbox.stdout?.write('x'.repeat(2000)) }, 10_000)
    expect(await runs.run(request({ timeMs: 20, outputBytes: 1000 }))).toMatchObject({
      reason: 'time',
      signal: 'SIGKILL',
      outputBytes: 1000,
    })
  })

  test('a rule that killed it is the reason, whatever else happened', async () => {
    const { runs } = setting({ onSignal: (sandbox) => sandbox.exit({ signal: 'SIGKILL', killedByRule: 0 }) })
    expect(await runs.run(request({ timeMs: 20 }))).toMatchObject({ reason: 'rule' })
  })

  test('a fast writer is held back by the log instead of filling memory', async () => {
    let most = 0
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const { runs } = setting({
      onStart: (sandbox) => {
        let left = 200
        const pour = (): void => {
          while (left-- > 0) {
            const more = sandbox.stdout?.write(chunk)
            most = Math.max(most, (sandbox.stdout?.writableLength ?? 0) + (sandbox.stdout?.readableLength ?? 0))
            if (more === false) return void sandbox.stdout?.once('drain', pour)
          }
          sandbox.exit({ code: 0 })
        }
        pour()
      },
    })
    const one = request()
    expect(await runs.run(one)).toMatchObject({ outputBytes: 200 * chunk.length })
    expect(statSync(one.logFile).size).toBe(200 * chunk.length)
    expect(most).toBeLessThan(4 * chunk.length)
  })
})

describe('abort', () => {
  test.each([
    [undefined, 'cancelled'],
    ['shutdown', 'shutdown'],
  ])('with reason %s while it runs', async (reason, expected) => {
    const stop = new AbortController()
    const { runs } = setting({
      onStart: () => void setTimeout(() => stop.abort(reason), 10),
      onSignal: (sandbox, signal) => sandbox.exit({ signal }),
    })
    expect(await runs.run(request({}, { signal: stop.signal }))).toMatchObject({ reason: expected, signal: 'SIGTERM' })
  })

  test('before and during the preparation nothing runs and nothing stays', async () => {
    const nothing = { code: null, signal: null, reason: 'cancelled', outputBytes: 0, durationMs: 0 }
    const before = setting()
    const one = request({}, { signal: AbortSignal.abort() })
    expect(await before.runs.run(one)).toEqual(nothing)
    expect(before.enforcement.requests).toEqual([])

    const during = setting()
    const stop = new AbortController()
    during.enforcement.onEnter = () => stop.abort()
    expect(await during.runs.run(request({}, { signal: stop.signal }))).toEqual(nothing)
    expect(during.enforcement.sandbox).toMatchObject({ started: false, alive: false })

    const refused = setting()
    const again = new AbortController()
    refused.enforcement.onEnter = () => again.abort('shutdown')
    refused.enforcement.enterFails = new BulkheadError('interrupted', 'stopped')
    expect(await refused.runs.run(request({}, { signal: again.signal }))).toEqual({ ...nothing, reason: 'shutdown' })
    expect(existsSync(one.scratch)).toBe(false)
  })
})

describe('what cannot be started rejects, and nothing is left', () => {
  test('walls that are refused', async () => {
    const { runs, enforcement } = setting()
    enforcement.enterFails = new BulkheadError('layer_unverified', 'does not hold')
    const one = request()
    await expect(runs.run(one)).rejects.toMatchObject({ code: 'layer_unverified' })
    expect(existsSync(one.scratch)).toBe(false)
  })

  test('a program that does not exist', async () => {
    const { runs, enforcement } = setting({ startFails: new BulkheadError('launch_not_found', 'agent: not found') })
    const one = request()
    await expect(runs.run(one)).rejects.toMatchObject({ code: 'launch_not_found' })
    expect(enforcement.sandbox?.alive).toBe(false)
    expect(existsSync(one.scratch)).toBe(false)
  })

  test.each(['../x', '/etc/x', 'a/../../x', '', 'a//b', './x', 'a\0b', 'a b', 'x\\..\\y'])('a file named %j', async (name) => {
    const { runs, enforcement } = setting()
    const one = request()
    await expect(runs.run({ ...one, command: { ...one.command, files: { [name]: 'x' } } })).rejects.toMatchObject({
      code: 'workspace_failed',
    })
    expect(enforcement.requests).toEqual([])
    expect(readdirSync(home)).toEqual(['logs'])
  })

  test('a log that is a link is not followed', async () => {
    const { runs, enforcement } = setting()
    const one = request()
    writeFileSync(join(home, 'precious'), 'keep')
    mkdirSync(join(home, 'logs'))
    symlinkSync(join(home, 'precious'), one.logFile)
    await expect(runs.run(one)).rejects.toMatchObject({ code: 'workspace_failed', details: { nativeCode: 'ELOOP' } })
    expect(enforcement.requests).toEqual([])
    expect(readFileSync(join(home, 'precious'), 'utf8')).toBe('keep')
  })

  test('a scratch directory that is a link is replaced, not followed', async () => {
    const { runs } = setting({ onStart: (sandbox) => sandbox.exit({ code: 0 }) })
    const one = request()
    mkdirSync(join(home, 'target'))
    writeFileSync(join(home, 'target', 'precious'), 'keep')
    mkdirSync(join(home, 'scratch'))
    symlinkSync(join(home, 'target'), one.scratch)
    expect(await runs.run(one)).toMatchObject({ code: 0 })
    expect(readFileSync(join(home, 'target', 'precious'), 'utf8')).toBe('keep')
  })
})

describe('a log that cannot be written', () => {
  test('ends the tree and rejects, and what is still in the pipes is read and dropped', async () => {
    const launcher = new FakeLauncher([], { onStart: (sandbox) => void sandbox.stdout?.write('x'.repeat(5000)) })
    const { command, stdio, policy } = enterRequest()
    const sandbox = (await launcher.launch(emptySpec(command, policy, {}), stdio)) as FakeSandbox
    const full = { append: () => Promise.reject(new BulkheadError('host_no_space', 'the disk is full')) } as unknown as OutputLog
    const signal = new AbortController().signal
    const supervision = { sandbox, stdin: null, limits: emptyPolicy.limits, log: full, signal, graceMs: 10_000, started: () => undefined }
    await expect(supervise(supervision)).rejects.toMatchObject({ code: 'host_no_space' })
    expect(sandbox.alive).toBe(false)
    expect(sandbox.stdout?.readableLength).toBe(0)
  })

  test('a device in the place of the log is refused before anything is made', async () => {
    const { runs, enforcement } = setting()
    await expect(runs.run(request({}, { logFile: '/dev/full' }))).rejects.toMatchObject({
      code: 'workspace_failed',
      message: 'cannot open the log /dev/full: it is not a file',
    })
    expect(enforcement.requests).toEqual([])
  })
})

test('layers that cannot be undone do not lose the result, and it is said', async () => {
  const { runs, enforcement, complaints } = setting({ onStart: (sandbox) => sandbox.exit({ code: 0 }) })
  enforcement.disposeFails = new Error('busy')
  expect(await runs.run(request())).toMatchObject({ code: 0, reason: 'exited' })
  expect(complaints).toEqual(['could not clean up the layers'])
})
