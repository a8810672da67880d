import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { AgentAccount, Receipt } from '../../core/contracts/index.ts'
import { agentPool, fileSecurity, poolDirectory, sweepAccount } from '../../native/index.ts'
import type { FileSecurity, PooledAccount } from '../../native/index.ts'
import { z } from 'zod'
import { mostAccounts, pluginId } from './names.ts'

/** An account that no other orchestrator of this user can have at the same time. */
export interface Lease extends AsyncDisposable {
  readonly account: AgentAccount
}

/** What leasing works with; a test has its own. */
export interface Pool {
  list(): readonly PooledAccount[]
  /** Undefined while another process, which is alive, has it. */
  lock: FileSecurity['lock']
  /** Ends what runs under the account and deletes what it left. */
  sweep(account: AgentAccount): Promise<void>
}

export const thisPool: Pool = {
  list: () => agentPool(poolDirectory()),
  lock: (path) => fileSecurity().lock(path),
  sweep: sweepAccount,
}

/** Beside the password. Held open, by nobody else, for as long as its holder lives: no process identity has to be believed. */
export function leaseFile(secretFile: string): string {
  return secretFile.replace(/\.secret$/, '.lease')
}

/** Milliseconds to wait for an account that an agent is just giving back. */
const patience = 5000

/**
 * Takes a free account; the receipt is recorded before. Whoever had it before may have left processes, and if so with no wall around them any
 * more: the runner that is started under the account ends them before it does anything else. Throws `layer_unusable` when all are taken.
 */
export async function takeLease(pool: Pool, record: (receipt: Receipt) => Promise<void>, signal: AbortSignal): Promise<Lease> {
  for (const end = Date.now() + patience; ; await delay(100, undefined, { signal })) {
    const usable = pool.list().filter(({ fault }) => fault === null)
    for (const { name, sid, secretFile } of turned(usable)) {
      const lock = pool.lock(leaseFile(secretFile))
      if (lock === undefined) continue
      const account: AgentAccount = { name, sid, secretFile }
      try {
        await record({ plugin: pluginId, data: account })
      } catch (error) {
        lock[Symbol.dispose]()
        throw error
      }
      return { account, [Symbol.asyncDispose]: async () => lock[Symbol.dispose]() }
    }
    if (Date.now() >= end) throw allTaken(usable.length)
  }
}

const receiptShape = z.object({ name: z.string(), sid: z.string(), secretFile: z.string() })

/**
 * After a crash: the lock went with the process that held it, what ran under the account may not have. When another orchestrator has the
 * account by now, its runner has cleared it already.
 */
export async function recoverLease(pool: Pool, { data }: Receipt): Promise<void> {
  const account = receiptShape.parse(data)
  const known = pool.list().find(({ name, fault }) => name === account.name && fault === null)
  // Removed, or made anew: then its processes were ended with it.
  if (known?.sid !== account.sid) return
  const lock = pool.lock(leaseFile(account.secretFile))
  if (lock === undefined) return
  try {
    await pool.sweep(account)
  } finally {
    lock[Symbol.dispose]()
  }
}

/** Beginning anywhere, so that several orchestrators do not all ask for the first one. */
function turned<T>(list: readonly T[]): readonly T[] {
  const at = list.length === 0 ? 0 : randomInt(list.length)
  return [...list.slice(at), ...list.slice(0, at)]
}

function allTaken(count: number): BulkheadError {
  if (count === 0) {
    return new BulkheadError('layer_unusable', 'there is no agent account that can be used', {
      remedy: 'Run `bulkhead setup windows` as an administrator.',
    })
  }
  const more = Math.min(2 * count, mostAccounts)
  const others = more > count ? `, or make more accounts: bulkhead setup windows --accounts ${more}, as an administrator` : ''
  return new BulkheadError('layer_unusable', `all ${count} agent accounts are in use`, {
    remedy: `Run fewer agents at once (concurrency)${others}.`,
  })
}
