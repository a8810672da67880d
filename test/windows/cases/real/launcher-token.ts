/** What Wine itself does of a restricted token: groups, privileges, default access list, job, desktop. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Attempt } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { bareParts, command, restrictedToken } from '../../support/specs.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

test('status', async () => {
  await using sandbox = await launcher.launch({ ...bareParts, token: restrictedToken(), command: command(['node']) }, { kind: 'pipes' })
  const fields = [
    'user-sid',
    'restricted',
    'write-restricted',
    'restricting-sids',
    'integrity',
    'privileges',
    'deny-only-groups',
    'powerful-groups',
    'default-dacl',
    'job',
    'job-windows',
    'desktop',
    'supervisor',
  ]
  const attempts: Attempt[] = fields.map((field) => ({ op: 'status', field }))
  const outcomes = await sandbox.attempt(attempts)
  for (const [i, one] of outcomes.entries()) console.log(fields[i], one)
  const names = [
    'breakaway',
    `read-process ${process.pid}`,
    `open-token ${process.pid}`,
    'privilege SeDebugPrivilege',
    'privilege SeShutdownPrivilege',
    'load-driver',
    'service-manager',
    'machine-registry',
    'user-registry',
    'global-object',
    'user-desktop',
    'new-desktop',
    'com-server',
    'nonsense',
  ]
  const supervisor = Number(outcomes.at(-1)?.value)
  names.push(`read-process ${supervisor}`, `open-token ${supervisor}`)
  const results = await sandbox.attempt([
    ...names.map((name): Attempt => ({ op: 'syscall', name })),
    { op: 'signal', pid: supervisor },
    { op: 'signal', pid: process.pid },
  ])
  for (const [i, one] of results.entries()) console.log(names[i] ?? 'signal', one)
  assert.ok(true)
})
