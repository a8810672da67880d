/**
 * What Wine itself does of a restricted token: groups, privileges, default access list, job, desktop, and access lists of processes. What it
 * only pretends (restricting SIDs, integrity) is the doubles' matter.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Attempt, LaunchSpec, Outcome } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { askAgent, probingAgent } from '../../support/probing-agent.ts'
import { bareParts, command, restrictedToken } from '../../support/specs.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

const token = restrictedToken()
const confined: LaunchSpec = { ...bareParts, token, command: command(['node']) }

/** What the fields say, in order. */
async function status(spec: LaunchSpec, ...fields: readonly string[]): Promise<(string | null)[]> {
  await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
  const outcomes = await sandbox.attempt(fields.map((field) => ({ op: 'status', field })))
  return outcomes.map(({ ok, error, value }) => (ok ? (value ?? '') : error))
}

async function tried(...names: readonly string[]): Promise<readonly Outcome[]> {
  await using sandbox = await launcher.launch(confined, { kind: 'pipes' })
  return await sandbox.attempt(names.map((name) => ({ op: 'syscall', name })))
}

const refused = (error: string): Outcome => ({ ok: false, error, value: null })

test('one privilege is left, and no other can be enabled', async () => {
  assert.deepEqual(await status(confined, 'privileges'), ['SeChangeNotifyPrivilege'])
  const privileges = ['SeDebugPrivilege', 'SeShutdownPrivilege', 'SeTakeOwnershipPrivilege', 'SeImpersonatePrivilege', 'SeBackupPrivilege']
  const outcomes = await tried(...privileges.map((name) => `privilege ${name}`))
  assert.deepEqual(
    outcomes,
    privileges.map(() => refused('EPERM')),
  )
})

test('administrators and who is interactive only deny', async () => {
  assert.deepEqual(await status(confined, 'deny-only-groups', 'powerful-groups'), ['S-1-5-4 S-1-5-32-544', ''])
})

test('a token that nobody restricted has them all', async () => {
  const bare = { ...bareParts, command: command(['node']) }
  const [privileges, powerful] = await status(bare, 'privileges', 'powerful-groups')
  assert.match(privileges ?? '', /SeDebugPrivilege/)
  assert.match(powerful ?? '', /S-1-5-32-544/)
})

test('what it makes is guarded with the SID of the launch', async () => {
  const user = (await status(confined, 'user-sid'))[0]
  assert.deepEqual(await status(confined, 'default-dacl'), [`D:(A;;GA;;;SY)(A;;GA;;;${user})(A;;GA;;;${token.launchSid})`])
})

test('each launch has a desktop of its own, unless that is switched off', async () => {
  const shared = { ...confined, token: { ...token, privateDesktop: false } }
  const [one, other, none] = await Promise.all([confined, confined, shared].map((spec) => status(spec, 'desktop')))
  assert.match(one?.[0] ?? '', /^Service-0x.*\\bulkhead-[0-9a-f]{32}$/)
  assert.match(other?.[0] ?? '', /^Service-0x.*\\bulkhead-[0-9a-f]{32}$/)
  assert.notDeepEqual(one, other)
  assert.doesNotMatch(none?.[0] ?? '', /bulkhead/)
})

test('nothing leaves the job', async () => {
  assert.deepEqual(await tried('breakaway'), [refused('EACCES')])
})

test('its supervisor cannot be read, written, ended or borrowed from', async () => {
  await using sandbox = await launcher.launch(confined, { kind: 'pipes' })
  const [found] = await sandbox.attempt([{ op: 'status', field: 'supervisor' }])
  const pid = Number(found?.value)
  assert.ok(pid > 0)
  const outcomes = await sandbox.attempt([
    { op: 'signal', pid },
    { op: 'syscall', name: `read-process ${pid}` },
    { op: 'syscall', name: `open-token ${pid}` },
  ])
  assert.deepEqual(outcomes, [refused('EACCES'), refused('EACCES'), refused('EACCES')])
})

test('the memory of the orchestrator cannot be read', async () => {
  assert.deepEqual(await tried(`read-process ${process.pid}`), [refused('EACCES')])
})

test('a call that is not on the list, and a process that is not there, are told apart from a refusal', async () => {
  assert.deepEqual(await tried('nonsense', 'read-process 0', 'read-process 999999'), [
    refused('EINVAL'),
    refused('EINVAL'),
    refused('EINVAL'),
  ])
})

test('the agent is behind the same walls as what was attacked in its place', async () => {
  const fields = ['privileges', 'deny-only-groups', 'default-dacl', 'desktop']
  const attempts = fields.map((field): Attempt => ({ op: 'status', field }))
  await using sandbox = await launcher.launch({ ...confined, command: probingAgent() }, { kind: 'pipes' })
  const probe = await sandbox.attempt(attempts)
  await sandbox.start()
  assert.deepEqual(await askAgent(sandbox, attempts), probe)
  assert.equal((await sandbox.exited).code, 0)
})

test('a processor quota that the system does not have is a failure, not a wish', async () => {
  const spec = { ...confined, token: { ...token, cpuPercent: 50 } }
  await assert.rejects(
    launcher.launch(spec, { kind: 'pipes' }),
    /limiting the processor time, which this system may not support, failed with EINVAL/,
  )
})
