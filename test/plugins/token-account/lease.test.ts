import { expect, test } from 'vitest'
import type { AgentAccount } from '../../../core/contracts/index.ts'
import type { PooledAccount } from '../../../native/index.ts'
import { leaseFile, recoverLease, takeLease } from '../../../plugins/token-account/lease.ts'
import type { Pool } from '../../../plugins/token-account/lease.ts'

const never = new AbortController().signal

function pooled(index: number, fault: string | null = null): PooledAccount {
  return { name: `a-${index}`, sid: `S-1-5-21-${index}`, secretFile: `/pool/a-${index}.secret`, fault }
}

/** What the processes of one user share. */
class Desk {
  readonly held = new Set<string>()
  readonly swept: AgentAccount[] = []
  readonly receipts: unknown[] = []
  sweepFails: Error | undefined
  recordFails: Error | undefined
  readonly accounts: PooledAccount[]

  constructor(accounts: readonly PooledAccount[]) {
    this.accounts = [...accounts]
  }

  readonly pool: Pool = {
    list: () => this.accounts,
    lock: (path) => {
      if (this.held.has(path)) return undefined
      this.held.add(path)
      return { [Symbol.dispose]: () => void this.held.delete(path) }
    },
    sweep: async (account) => {
      this.swept.push(account)
      if (this.sweepFails !== undefined) throw this.sweepFails
    },
  }

  take(signal: AbortSignal = never) {
    const record = async (receipt: { readonly data: unknown }): Promise<void> => {
      if (this.recordFails !== undefined) throw this.recordFails
      this.receipts.push(receipt.data)
    }
    return takeLease(this.pool, record, signal)
  }
}

test('each account has one holder, and is free again when that gives it back', async () => {
  const desk = new Desk([pooled(1), pooled(2), pooled(3)])
  const leases = await Promise.all([desk.take(), desk.take(), desk.take()])
  expect(leases.map(({ account }) => account.name).toSorted()).toEqual(['a-1', 'a-2', 'a-3'])
  expect(desk.receipts).toHaveLength(3)
  expect(desk.receipts).toContainEqual({ name: 'a-2', sid: 'S-1-5-21-2', secretFile: '/pool/a-2.secret' })
  for (const lease of leases) await lease[Symbol.asyncDispose]()
  expect(desk.held.size).toBe(0)
})

test('one that is just given back is waited for', async () => {
  const desk = new Desk([pooled(1)])
  const first = await desk.take()
  const second = desk.take()
  setTimeout(() => void first[Symbol.asyncDispose](), 150)
  expect((await second).account.name).toBe('a-1')
})

test('when all are taken the error says how many there are and what to do', { timeout: 15_000 }, async () => {
  const desk = new Desk([pooled(1), pooled(2, 'broken')])
  await desk.take()
  await expect(desk.take()).rejects.toMatchObject({
    code: 'layer_unusable',
    message: 'all 1 agent accounts are in use',
    details: { remedy: expect.stringContaining('bulkhead setup windows --accounts 2') as string },
  })
})

test('waiting ends when the launch is given up', async () => {
  const desk = new Desk([pooled(1)])
  await desk.take()
  const stop = new AbortController()
  const waiting = desk.take(stop.signal)
  stop.abort(new Error('given up'))
  await expect(waiting).rejects.toThrow()
})

test('an account that cannot be used is never leased', { timeout: 15_000 }, async () => {
  const desk = new Desk([pooled(1, 'its password cannot be opened')])
  await expect(desk.take()).rejects.toMatchObject({ message: 'there is no agent account that can be used' })
  expect(desk.held.size).toBe(0)
})

test('without a receipt there is no lease', async () => {
  const desk = new Desk([pooled(1)])
  desk.recordFails = new Error('the disk is full')
  await expect(desk.take()).rejects.toThrow('the disk is full')
  expect(desk.held.size).toBe(0)
})

test('recovery clears the account of a dead orchestrator, under its lease', async () => {
  const desk = new Desk([pooled(1)])
  const { fault: _, ...account } = pooled(1)
  await recoverLease(desk.pool, { plugin: 'token-account', data: account })
  await recoverLease(desk.pool, { plugin: 'token-account', data: account })
  expect(desk.swept).toEqual([account, account])
  expect(desk.held.size).toBe(0)
})

test('recovery leaves an account alone that somebody has, that was made anew, or that is gone', async () => {
  const desk = new Desk([pooled(1), { ...pooled(2), sid: 'S-1-5-21-22' }])
  const { fault: _, ...account } = pooled(1)
  desk.held.add(leaseFile(account.secretFile))
  await recoverLease(desk.pool, { plugin: 'token-account', data: account })
  await recoverLease(desk.pool, { plugin: 'token-account', data: pooled(2) })
  await recoverLease(desk.pool, { plugin: 'token-account', data: pooled(3) })
  expect(desk.swept).toEqual([])
})

test('what cannot be cleared keeps its receipt, and not its lock', async () => {
  const desk = new Desk([pooled(1)])
  desk.sweepFails = new Error('a process does not end')
  await expect(recoverLease(desk.pool, { plugin: 'token-account', data: pooled(1) })).rejects.toThrow('a process does not end')
  expect(desk.held.size).toBe(0)
})
