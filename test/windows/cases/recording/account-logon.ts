/** How a program is started under an agent account, call by call, and what is said when a step of it fails. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentAccount } from '../../../../core/contracts/index.ts'
import { createLauncher, programFiles, sweepAccount } from '../../../../native/index.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { pool, SetupDesk, under } from '../../support/agent-accounts.ts'
import { callsSince, failing } from '../../support/calls.ts'
import { processes } from '../../support/crash/world.ts'
import { runToEnd } from '../../support/run.ts'
import { script } from '../../support/specs.ts'

const desk = new SetupDesk()
const setup = accountSetup()
const launcher = createLauncher()
let account: AgentAccount

before(async () => {
  await setup.install(desk.context(1))
  ;[account] = pool() as [AgentAccount]
})
after(async () => {
  await launcher[Symbol.asyncDispose]()
  await setup.remove(desk.context(null))
})

const program = programFiles().find((path) => path.endsWith('bulkhead-launcher.exe')) ?? ''

/** Calls of the process that logs on, from its job on. */
async function stageOne(act: () => Promise<unknown>) {
  const before = callsSince(0).length
  await act()
  const calls = callsSince(before)
  const pid = calls.find(({ call }) => call === 'CreateProcessWithLogonW')?.pid
  return { pid, calls: calls.filter((one) => one.pid === pid) }
}

const start = () => runToEnd(launcher, under(account, script('')))

describe('a launch', () => {
  test('logs on suspended, with nothing of the user’s; job, seal and its own seal follow, and then it runs', async () => {
    const { pid, calls } = await stageOne(start)
    const nonce = /runner \S+ ([0-9a-f]{32}) /.exec(String(calls.find(({ call }) => call === 'CreateProcessWithLogonW')?.in['line']))?.[1]
    const job = ['NtCreateJobObject', { named: false, descriptor: null }]
    // KILL_ON_JOB_CLOSE | SILENT_BREAKAWAY_OK
    const limits = { class: 9, limitFlags: '0x3000', activeProcesses: 0, priorityClass: 0, jobTime: 0, processMemory: 0, jobMemory: 0 }
    const seal = (kind: string, descriptor: string) => ['NtSetSecurityObject', { kind, info: '0x4', propagates: false, descriptor }]
    assert.deepEqual(
      calls.filter(({ call }) => call !== 'NtCreateUserProcess').map((one) => [one.call, one.in]),
      [
        job,
        ['NtSetInformationJobObject', limits],
        [
          'CreateProcessWithLogonW',
          {
            name: account.name,
            domain: '.',
            passwordLength: 40,
            // LOGON_WITH_PROFILE
            logonFlags: '0x1',
            application: program,
            line: `"${program}" runner ${account.sid} ${nonce} ${pid}`,
            // CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW
            flags: '0x8000404',
            environment: false,
            directory: String.raw`C:\windows\system32`,
            desktop: null,
          },
        ],
        ['NtAssignProcessToJobObject', {}],
        // The user is not in it: this process has its handle.
        seal('process', 'D:P(A;;0x10000000;;;S-1-5-18)(A;;0x10000000;;;S-1-5-32-544)(A;;0x20000;;;S-1-3-4)'),
        seal('process', 'D:P(A;;0x10000000;;;S-1-5-18)(A;;0x121000;;;S-1-5-21-0-0-0-1000)(A;;0x20000;;;S-1-3-4)'),
        seal('token', 'D:P(A;;0x10000000;;;S-1-5-18)(A;;0x200f8;;;S-1-5-21-0-0-0-1000)(A;;0x20000;;;S-1-3-4)'),
      ],
    )
    const born = calls.find(({ call }) => call === 'NtCreateUserProcess')
    // THREAD_CREATE_FLAGS_CREATE_SUSPENDED
    assert.equal(born?.in['threadFlags'], '0x1')
  })

  test('clearing an account begins in the same way', async () => {
    const { calls } = await stageOne(() => sweepAccount(account))
    assert.deepEqual(
      calls.filter(({ call }) => call !== 'NtCreateUserProcess').map(({ call }) => call),
      [
        'NtCreateJobObject',
        'NtSetInformationJobObject',
        'CreateProcessWithLogonW',
        'NtAssignProcessToJobObject',
        'NtSetSecurityObject',
        'NtSetSecurityObject',
        'NtSetSecurityObject',
      ],
    )
    assert.equal(calls.find(({ call }) => call === 'CreateProcessWithLogonW')?.in['line'], `"${program}" sweeper ${account.sid}`)
  })
})

const again = 'Run `bulkhead setup windows` again as an administrator: it gives the account a new password.'

describe('a logon that is refused', () => {
  for (const [result, code, message, remedy] of [
    ['0x5', 'host_unsupported', 'it may not read Bulkhead’s own programs', 'Run `bulkhead setup windows` again as an administrator.'],
    ['0x422', 'host_unsupported', 'the service "Secondary Logon" is disabled', /seclogon start= demand/],
    ['0x52e', 'host_unsupported', 'its password is not the one that is stored', again],
    ['0x52f', 'host_unsupported', 'a policy restricts its logon', /Ask whoever manages this machine/],
    ['0x532', 'host_unsupported', 'its password has expired', again],
    ['0x533', 'host_unsupported', 'it is disabled', /it enables the account/],
    ['0x569', 'host_unsupported', 'it may not log on locally, which a second account needs to start a program', /"Allow log on locally"/],
    ['0x773', 'host_unsupported', 'a policy wants its password changed', again],
    ['0x775', 'host_unsupported', 'it is locked after too many wrong passwords', /Wait until the lockout ends/],
  ] as const) {
    test(`${result}: ${message}`, async () => {
      await failing([['CreateProcessWithLogonW', 1, result]], () =>
        assert.rejects(start(), (error: { code: string; message: string; details: { remedy: string } }) => {
          assert.equal(error.code, code)
          assert.equal(error.message, `the agent account ${account.name} cannot be used: ${message}`)
          if (typeof remedy === 'string') assert.equal(error.details.remedy, remedy)
          else assert.match(error.details.remedy, remedy)
          return true
        }),
      )
    })
  }

  test('for a reason that nobody knows keeps its number', async () => {
    await failing([['CreateProcessWithLogonW', 1, '0x1234']], () =>
      assert.rejects(start(), { code: 'native_failed', message: `logging on as ${account.name} failed with win32 4660` }),
    )
  })
})

const launchers = () => processes().filter((one) => one.program === 'bulkhead-launcher.exe')

describe('nothing is left running', () => {
  for (const [call, count, operation] of [
    // Two of libuv and of the library, for the launcher.
    ['NtAssignProcessToJobObject', 3, 'putting the runner into its job'],
    ['NtSetSecurityObject', 1, 'sealing the runner'],
    ['NtSetSecurityObject', 2, 'sealing the process'],
    ['NtSetSecurityObject', 3, 'sealing the token'],
  ] as const) {
    test(`after a failure while ${operation}`, async () => {
      const before = callsSince(0).length
      await failing([[call, count, '0xc0000022']], () => assert.rejects(start(), { details: { operation, nativeCode: 'EACCES' } }))
      assert.ok(callsSince(before).some((one) => one.call === 'CreateProcessWithLogonW'))
      for (const end = Date.now() + 10_000; launchers().length > 0; await delay(50)) assert.ok(Date.now() < end, 'a runner is left')
    })
  }
})

test('no password is in any record, argument or file', async () => {
  await start()
  const directory = join(account.secretFile, '..')
  for (const name of readdirSync(directory)) {
    // What DPAPI made begins with its provider’s GUID; a password in clear would be 80 bytes of printable UTF-16.
    const text = readFileSync(join(directory, name)).toString('utf16le')
    assert.doesNotMatch(text, /[!-~]{20}/)
  }
  for (const { call, in: values } of callsSince(0)) {
    assert.ok(!('password' in values), call)
  }
})
