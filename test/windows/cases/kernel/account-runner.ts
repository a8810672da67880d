/** A launch under an agent account: the launcher starts itself there, and that one is the supervisor. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AgentAccount, LaunchSpec } from '../../../../core/contracts/index.ts'
import { agentPool, createLauncher, poolDirectory } from '../../../../native/index.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { SetupDesk } from '../../support/agent-accounts.ts'
import { runToEnd } from '../../support/run.ts'
import { bareParts, restrictedToken, script } from '../../support/specs.ts'

const desk = new SetupDesk()
const setup = accountSetup()
const launcher = createLauncher()

before(() => setup.install(desk.context(2)))
after(async () => {
  await launcher[Symbol.asyncDispose]()
  await setup.remove(desk.context(null))
})

function pool(): readonly AgentAccount[] {
  return agentPool(poolDirectory()).map(({ name, sid, secretFile, fault }) => {
    assert.equal(fault, null)
    return { name, sid, secretFile }
  })
}

function under(account: AgentAccount, text: string): LaunchSpec {
  return { ...bareParts, token: { ...restrictedToken(), tier: 'write-restricted', integrity: 'medium', account }, command: script(text) }
}

test('the pool is there', () => {
  assert.equal(pool().length, 2)
})

test('streams, exit code and environment go through', async () => {
  const [account] = pool() as [AgentAccount]
  const ran = await runToEnd(
    launcher,
    under(account, 'process.stdin.pipe(process.stdout); console.error(process.env.USERNAME); process.exitCode = 7'),
    'hello',
  )
  assert.deepEqual({ code: ran.code, out: ran.out, error: ran.error }, { code: 7, out: 'hello', error: 'undefined\n' })
})

test('what is held is a process of the account', async () => {
  const [account] = pool() as [AgentAccount]
  await using sandbox = await launcher.launch(under(account, ''), { kind: 'pipes' })
  const [user] = await sandbox.attempt([{ op: 'status', field: 'user-sid' }])
  assert.equal(user?.value, account.sid)
})
