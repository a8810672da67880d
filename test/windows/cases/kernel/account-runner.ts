/** A launch under an agent account: the launcher starts itself there, and that one is the supervisor. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAccount } from '../../../../core/contracts/index.ts'
import { createLauncher, programFiles, sweepAccount } from '../../../../native/index.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { Survivor } from '../../support/account-survivor.ts'
import { pool, SetupDesk, under } from '../../support/agent-accounts.ts'
import { callsSince } from '../../support/calls.ts'
import { outcomes, selftest } from '../../support/confined.ts'
import { runToEnd, textOf } from '../../support/run.ts'
import { script } from '../../support/specs.ts'

const desk = new SetupDesk()
const setup = accountSetup()
const launcher = createLauncher()
let account: AgentAccount
let other: AgentAccount

before(async () => {
  // Finds where the records are, which this process can no longer do once it has sealed itself.
  callsSince(0)
  await setup.install(desk.context(2))
  ;[account, other] = pool() as [AgentAccount, AgentAccount]
})
after(async () => {
  await launcher[Symbol.asyncDispose]()
  await setup.remove(desk.context(null))
})

test('streams, exit code and environment go through', async () => {
  const text = 'process.stdin.pipe(process.stdout); console.error(process.env.USERNAME); process.exitCode = 7'
  const ran = await runToEnd(launcher, under(account, script(text)), 'hello')
  assert.deepEqual({ code: ran.code, out: ran.out, error: ran.error }, { code: 7, out: 'hello', error: 'undefined\n' })
})

test('a megabyte each way is whole', async () => {
  const bytes = 'x'.repeat(1024 * 1024)
  const { out } = await runToEnd(launcher, under(account, script('process.stdin.pipe(process.stdout)')), bytes)
  assert.equal(out === bytes, true)
})

test('what is held is a process of the account', async () => {
  await using sandbox = await launcher.launch(under(account, script('')), { kind: 'pipes' })
  const [user] = await sandbox.attempt([{ op: 'status', field: 'user-sid' }])
  assert.equal(user?.value, account.sid)
})

test('an account that was made anew is not taken for the old one', async () => {
  await assert.rejects(launcher.launch(under({ ...account, sid: other.sid }, script('')), { kind: 'pipes' }), {
    code: 'host_unsupported',
    message: 'the agent account was made anew since this launch was planned',
  })
})

test('two accounts at once', async () => {
  const [one, two] = await Promise.all([account, other].map((of) => runToEnd(launcher, under(of, script('console.log(1)')))))
  assert.deepEqual([one?.out, two?.out], ['1\n', '1\n'])
})

/** PROCESS_TERMINATE, CREATE_THREAD, VM_READ, VM_WRITE, DUP_HANDLE, SET_INFORMATION, QUERY_INFORMATION, SUSPEND_RESUME, WRITE_DAC. */
const rights = ['0x1', '0x2', '0x10', '0x20', '0x40', '0x200', '0x400', '0x800', '0x40000']

/** The agent prints its parent and waits; then a child of it makes the attempts. */
async function attemptOn(pids: (supervisor: number, stageOne: number) => readonly number[], confined: Parameters<typeof under>[2]) {
  const text = `console.log(process.ppid); process.stdin.once('data', (asked) => {
    const attempts = String(asked).trim().split(' ')
    const { stdout } = require('node:child_process').spawnSync(${JSON.stringify(selftest('attempts'))}, attempts, { stdio: ['ignore', 1, 'ignore'] })
    process.exit()
  })`
  const before = callsSince(0).length
  await using sandbox = await launcher.launch(under(account, script(text), confined), { kind: 'pipes' })
  const stageOne = callsSince(before).find(({ call }) => call === 'CreateProcessWithLogonW')?.pid ?? 0
  await sandbox.start()
  assert.ok(sandbox.stdout && sandbox.stdin)
  const [first] = (await once(sandbox.stdout, 'data')) as [Buffer]
  const attempts = pids(Number(String(first)), stageOne).flatMap((pid) => rights.map((right) => `open-process|${pid}|${right}`))
  sandbox.stdin.end(`${attempts.join(' ')}\n`)
  return [...outcomes(await textOf(sandbox.stdout)).values()]
}

describe('an agent cannot open its supervisor, nor what started that', () => {
  for (const confined of [{}, { tier: 'blind', integrity: 'low' }] as const) {
    test(JSON.stringify(confined), async () => {
      const answers = await attemptOn((supervisor, stageOne) => [supervisor, stageOne, process.pid], confined)
      assert.deepEqual(
        answers,
        Array.from({ length: 3 * rights.length }, () => '5'),
      )
    })
  }
})

describe('between two agents', () => {
  for (const how of ['linger', 'linger-closed'] as const) {
    test(`a process that survived is ended before the next agent runs: ${how}`, async () => {
      using survivor = await Survivor.start(account, how)
      assert.equal(survivor.lives, true)
      await using sandbox = await launcher.launch(under(account, script('')), { kind: 'pipes' })
      await survivor.ended()
      assert.equal(sandbox.process.pid > 0, true)
    })
  }

  test('a process that is not in the job is ended with the agent', async () => {
    await using sandbox = await launcher.launch(under(account, script('process.stdin.resume()')), { kind: 'pipes' })
    await sandbox.start()
    using survivor = await Survivor.start(account, 'linger')
    await delay(200)
    assert.equal(survivor.lives, true)
    sandbox.stdin?.end()
    await sandbox.exited
    await survivor.ended()
  })

  test('a process of another account stays', async () => {
    using survivor = await Survivor.start(other, 'linger')
    await runToEnd(launcher, under(account, script('')))
    assert.equal(survivor.lives, true)
  })

  test('what lies in its directory for temporary files is deleted', async () => {
    const temporary = join('C:\\users', account.name, 'AppData\\Local\\Temp')
    const deep = join(temporary, ...Array.from({ length: 12 }, () => 'd'.repeat(30)))
    mkdirSync(`\\\\?\\${deep}`, { recursive: true })
    writeFileSync(`\\\\?\\${deep}\\left`, 'x')
    writeFileSync(join(temporary, 'read-only'), 'x', { mode: 0o444 })
    await runToEnd(launcher, under(account, script('')))
    assert.deepEqual(readdirSync(temporary), [])
  })

  test('both can be had without an agent', async () => {
    const left = join('C:\\users', account.name, 'AppData\\Local\\Temp\\left')
    writeFileSync(left, 'x')
    using survivor = await Survivor.start(account, 'linger-closed')
    await sweepAccount(account)
    await survivor.ended()
    assert.equal(existsSync(left), false)
  })
})

test('by hand it does nothing to who starts it', () => {
  const file = programFiles().find((path) => path.endsWith('bulkhead-launcher.exe')) ?? ''
  const left = join(homedir(), 'AppData\\Local\\Temp\\mine')
  mkdirSync(join(left, '..'), { recursive: true })
  writeFileSync(left, 'x')
  // ERROR_NONE_MAPPED
  assert.equal(spawnSync(file, ['sweeper', account.sid]).status, 1332)
  assert.equal(spawnSync(file, ['runner', account.sid, '0'.repeat(32), String(process.pid)]).status, 1332)
  assert.equal(existsSync(left), true)
  assert.match(execFileSync(selftest('accounts'), ['whoami'], { encoding: 'utf8' }), /ok/)
})
