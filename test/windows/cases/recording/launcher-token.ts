/** What the launcher asks the system for to make the walls of the token, call by call; and what stays when a call fails. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BulkheadError, type RestrictedToken } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { userOfThisProcess } from '../../../../native/windows/wfp.ts'
import { type Call, callsSince, failing } from '../../support/calls.ts'
import { desktops, processes } from '../../support/crash/world.ts'
import { interrupted } from '../../support/interrupted.ts'
import { runToEnd } from '../../support/run.ts'
import { bareParts, restrictedToken, script } from '../../support/specs.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

const launchSid = 'S-1-5-21-1-2-3-4'
const workspaceSid = 'S-1-5-21-5-6-7-8'
const user = userOfThisProcess()

const token = restrictedToken({ launchSid, memoryBytes: 2 ** 28 })
const spec = {
  ...bareParts,
  token,
  filesystem: { mechanism: 'windows-acl', workspaceSid },
  limits: { processes: 20, openFiles: null },
  command: script(''),
} as const

/** Calls of the supervisor: the process that restricts a token. */
async function supervisor(act: () => Promise<unknown>): Promise<readonly Call[]> {
  const before = callsSince(0).length
  await act()
  const calls = callsSince(before)
  const pid = calls.find(({ call }) => call === 'NtFilterToken')?.pid
  return calls.filter((one) => one.pid === pid)
}

const start = () => runToEnd(launcher, spec)
const named = (calls: readonly Call[], name: string) => calls.filter(({ call }) => call === name).map((one) => one.in)

describe('a launch behind a restricted token', () => {
  test('makes job, desktop, token and seals, and then the probe, and then the command', async () => {
    const calls = await supervisor(start)
    const from = calls.findIndex(({ call }) => call === 'CreateWindowStationW')
    // Before the station: the bystander in a job of its own, and the job of the agent.
    assert.deepEqual(
      calls.slice(0, from).map(({ call }) => call.replace(/^Nt/, '')),
      [
        'CreateJobObject',
        'SetInformationJobObject',
        'CreateUserProcess',
        'CreateJobObject',
        'SetInformationJobObject',
        'SetInformationJobObject',
        'SetInformationJobObject',
      ],
    )
    assert.deepEqual(
      calls.slice(from).map((one) => [one.call, one.in['kind'] ?? one.in['class'] ?? one.in['jobs'] ?? null]),
      [
        ['CreateWindowStationW', null],
        ['CreateDesktopW', null],
        ['NtFilterToken', null],
        // TokenDefaultDacl, TokenIntegrityLevel
        ['NtSetInformationToken', 6],
        ['NtSetInformationToken', 25],
        // The supervisor closes itself to its own user.
        ['NtSetSecurityObject', 'thread'],
        ['NtSetInformationToken', 6],
        ['NtSetSecurityObject', 'process'],
        ['NtSetSecurityObject', 'token'],
        ['NtCreateUserProcess', 1],
        ['NtSetSecurityObject', 'token'],
        ['NtCreateUserProcess', 1],
        ['NtSetSecurityObject', 'token'],
      ],
    )
  })

  test('restricts it so', async () => {
    const calls = await supervisor(start)
    const [filter] = named(calls, 'NtFilterToken')
    // DISABLE_MAX_PRIVILEGE; 23 is SeChangeNotifyPrivilege, the one that is left.
    assert.equal(filter?.['flags'], '0x1')
    assert.deepEqual(filter['disable'], ['S-1-5-4', 'S-1-5-32-544'])
    assert.deepEqual(filter['restricting'], [workspaceSid, launchSid, ...token.restricting])
    const privileges = filter['privileges'] as readonly number[]
    assert.ok(privileges.length > 10 && !privileges.includes(23))
    const list = `D:(A;;0x10000000;;;S-1-5-18)(A;;0x10000000;;;${user})(A;;0x10000000;;;${launchSid})`
    assert.deepEqual(named(calls, 'NtSetInformationToken').slice(0, 2), [
      { class: 6, dacl: list },
      { class: 25, label: 'S-1-16-4096' },
    ])
  })

  test('a write-restricted token says so', async () => {
    const calls = await supervisor(() =>
      runToEnd(launcher, { ...spec, token: { ...token, tier: 'write-restricted', integrity: 'medium' } }),
    )
    // DISABLE_MAX_PRIVILEGE | WRITE_RESTRICTED
    assert.equal(named(calls, 'NtFilterToken')[0]?.['flags'], '0x9')
    assert.equal(named(calls, 'NtSetInformationToken')[1]?.['label'], 'S-1-16-8192')
  })

  test('limits the job so', async () => {
    const calls = await supervisor(start)
    assert.deepEqual(named(calls, 'NtSetInformationJobObject').slice(1), [
      // KILL_ON_JOB_CLOSE | DIE_ON_UNHANDLED_EXCEPTION | JOB_MEMORY | ACTIVE_PROCESS; no BREAKAWAY_OK
      { class: 9, limitFlags: '0x2608', activeProcesses: 20, priorityClass: 0, jobTime: 0, processMemory: 0, jobMemory: 2 ** 28 },
      // Every JOB_OBJECT_UILIMIT there is.
      { class: 4, restrictions: '0xff' },
      // JobObjectAssociateCompletionPortInformation
      { class: 7 },
    ])
  })

  test('starts each process suspended, under the token, in the job, on the desktop, with the listed handles and a list of its own', async () => {
    const calls = await supervisor(start)
    const [, probe, command] = named(calls, 'NtCreateUserProcess')
    const desktop = String(named(calls, 'CreateDesktopW')[0]?.['name'])
    for (const [born, handles] of [
      [probe, 2],
      [command, 3],
    ] as const) {
      assert.deepEqual(
        [born?.['token'], born?.['jobs'], born?.['handles'], born?.['threadFlags'], born?.['directory']],
        [true, 1, handles, '0x1', 'C:\\'],
      )
      assert.ok(String(born?.['desktop']).endsWith(`\\${desktop}`))
      assert.equal(born?.['descriptor'], `D:(A;;0x10000000;;;S-1-5-18)(A;;0x10000000;;;${user})(A;;0x10000000;;;${launchSid})`)
    }
  })
})

test('the launcher runs beside its own program, not in the user’s directory', async () => {
  const before = callsSince(0).length
  await start()
  const own = callsSince(before).find(({ call, pid }) => call === 'NtCreateUserProcess' && pid === process.pid)?.in
  const [image, directory] = [own?.['image'], own?.['directory']].map((value) => String(value).toLowerCase())
  assert.match(image ?? '', /\\bulkhead-launcher\.exe$/)
  assert.equal(image, `\\??\\${directory?.replace(/\\?$/, '')}\\bulkhead-launcher.exe`)
})

test('what sends Ctrl-C to the agent’s console is under the token, in the job, and closed to everybody', async () => {
  const calls = await supervisor(() => interrupted('restricted'))
  const sender = named(calls, 'NtCreateUserProcess').find(({ line }) => line === 'bulkhead-launcher interrupt')
  assert.deepEqual(
    [sender?.['token'], sender?.['jobs'], sender?.['handles'], sender?.['threadFlags'], sender?.['descriptor']],
    [true, 1, 0, '0x1', 'D:P(A;;0x10000000;;;S-1-5-18)(A;;0x20000;;;S-1-3-4)'],
  )
})

describe('a job in which Windows takes no limits on windows', () => {
  /** The bystander is the second process of the launch, the probe the third. */
  const refuseProbe = (token: RestrictedToken) =>
    failing([['NtCreateUserProcess', 3, '0xc0000022']], () => runToEnd(launcher, { ...spec, token }))

  test('is made anew without them, since the desktop is the agent’s own', async () => {
    const calls = await supervisor(() => refuseProbe(token))
    assert.deepEqual(
      named(calls, 'NtSetInformationJobObject').map((one) => one['class']),
      [9, 9, 4, 7, 9, 7],
    )
  })

  test('is refused where the desktop is the user’s', async () => {
    await assert.rejects(refuseProbe({ ...token, privateDesktop: false }), {
      code: 'native_failed',
      message: 'starting a process failed with EACCES',
    })
  })
})

const programs = () =>
  processes()
    .map(({ program }) => program)
    .filter((program) => program.startsWith('bulkhead'))

test('whichever call fails, nothing is started, it is said which, and nothing is left', async () => {
  const calls = await supervisor(start)
  const before = desktops()
  // By name and number over the whole launch: what the library and libuv do for the launcher itself comes first.
  const whole = (name: string): number => {
    const own = callsSince(0)
    const first = own.findLastIndex((one) => one.call === 'NtFilterToken')
    const launch = own.slice(0, first).findLastIndex((one) => one.call === 'NtCreateUserProcess' && one.pid === process.pid)
    return own.slice(launch).filter((one) => one.call === name && one.pid === process.pid).length
  }
  const tried: string[] = []
  for (const name of new Set(calls.map(({ call }) => call))) {
    const ahead = name === 'NtCreateUserProcess' ? 1 : whole(name)
    const own = calls.filter(({ call }) => call === name).length
    // The last of these is about the command itself, which is a refusal of its own.
    const last = name === 'NtCreateUserProcess' || name === 'NtSetSecurityObject' ? own - 1 : own
    for (let count = 1; count <= last; count++) {
      // STATUS_INSUFFICIENT_RESOURCES: access denied has a meaning of its own, see above.
      const error: unknown = await failing([[name, ahead + count, '0xc000009a']], () =>
        start().then(
          () => undefined,
          (thrown: unknown) => thrown,
        ),
      )
      tried.push(`${name} ${count}`)
      assert.ok(BulkheadError.is(error) && error.code === 'native_failed', `${name} ${count}: ${String(error)}`)
      assert.notEqual(error.details.operation, undefined)
      for (const end = Date.now() + 10_000; programs().length > 0; await delay(50))
        assert.ok(Date.now() < end, `${name} ${count}: left running`)
      assert.deepEqual(desktops(), before)
    }
  }
  assert.ok(tried.length >= 18, tried.join(', '))
})
