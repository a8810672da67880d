/** An account is one agent's at a time, over all orchestrators of the user, and clean when the next one gets it. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { AgentAccount, Receipt } from '../../../../core/contracts/index.ts'
import plugin from '../../../../plugins/token-account/index.ts'
import { takeLease, thisPool } from '../../../../plugins/token-account/lease.ts'
import { accountSetup } from '../../../../plugins/token-account/setup.ts'
import { Survivor } from '../../support/account-survivor.ts'
import { pool, SetupDesk } from '../../support/agent-accounts.ts'

const desk = new SetupDesk()
const setup = accountSetup()
const program = fileURLToPath(new URL('../../support/workers/lessee.js', import.meta.url))

before(() => setup.install(desk.context(2)))
after(() => setup.remove(desk.context(null)))

const lease = (record: (receipt: Receipt) => Promise<void> = async () => undefined) =>
  takeLease(thisPool, record, new AbortController().signal)

/** Another orchestrator with an agent that runs. */
interface Orchestrator {
  readonly account: AgentAccount
  readonly agent: number
  readonly process: ChildProcess
}

const started: ChildProcess[] = []

async function orchestrator(): Promise<Orchestrator> {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  started.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { ...(JSON.parse(String(said)) as Pick<Orchestrator, 'account' | 'agent'>), process: child }
}

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.stdin?.end()
    await once(child, 'exit')
  }
})

/** A process that may not be opened is there. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function gone(pid: number): Promise<void> {
  for (const end = Date.now() + 20_000; exists(pid); await delay(50)) assert.ok(Date.now() < end, `process ${pid} is still there`)
}

const names = (...leases: readonly { readonly account: AgentAccount }[]): readonly string[] =>
  leases.map(({ account }) => account.name).toSorted()

test('each lease has another account; when none is left, the error says what to do', async () => {
  await using one = await lease()
  await using two = await lease()
  assert.deepEqual(
    names(one, two),
    pool().map(({ name }) => name),
  )
  await assert.rejects(lease(), {
    code: 'layer_unusable',
    message: 'all 2 agent accounts are in use',
    details: {
      remedy: 'Run fewer agents at once (concurrency), or make more accounts: bulkhead setup windows --accounts 4, as an administrator.',
    },
  })
})

test('who waits gets the one that is given back', async () => {
  await using one = await lease()
  const two = await lease()
  const third = lease()
  await delay(300)
  await two[Symbol.asyncDispose]()
  await using got = await third
  assert.deepEqual([names(got), got.account.name === one.account.name], [names(two), false])
})

test('what another process leases is taken here, until it ends', async () => {
  const other = await orchestrator()
  await using one = await lease()
  assert.notEqual(one.account.name, other.account.name)
  await assert.rejects(lease(), { code: 'layer_unusable' })
  other.process.stdin?.end()
  await once(other.process, 'exit')
  await using two = await lease()
  assert.equal(two.account.name, other.account.name)
})

test('an orchestrator that is killed takes its agent with it, and its account is free', async () => {
  const other = await orchestrator()
  assert.equal(exists(other.agent), true)
  other.process.kill('SIGKILL')
  await gone(other.agent)
  await using one = await lease()
  await using two = await lease()
  assert.ok(names(one, two).includes(other.account.name))
})

test('its receipt brings it to an end: what runs under the account is ended', async () => {
  const receipts: Receipt[] = []
  const held = await lease(async (receipt) => void receipts.push(receipt))
  using survivor = await Survivor.start(held.account, 'linger-closed')
  const [receipt] = receipts as [Receipt]
  // As long as somebody holds the account, that is whose business it is.
  await plugin.recover(receipt)
  assert.equal(survivor.lives, true)
  await held[Symbol.asyncDispose]()
  await plugin.recover(receipt)
  await survivor.ended()
})

test('a receipt of an account that does not exist any more has no effect', async () => {
  const [account] = pool() as [AgentAccount]
  using survivor = await Survivor.start(account, 'linger')
  await plugin.recover({ plugin: plugin.id, data: { ...account, sid: 'S-1-5-21-1-2-3-4' } })
  await plugin.recover({ plugin: plugin.id, data: { ...account, name: 'bulkhead-gone-01' } })
  assert.equal(survivor.lives, true)
})

test('a lease that could not be noted down is not kept', async () => {
  await assert.rejects(
    lease(() => Promise.reject(new Error('disk full'))),
    /disk full/,
  )
  await using one = await lease()
  await using two = await lease()
  assert.equal(names(one, two).length, 2)
})
