import { dirname } from 'node:path/win32'
import { setTimeout as sleep } from 'node:timers/promises'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { Disk } from './disk.ts'

/** Below the time that a hook may take. */
const patienceMs = 20_000

/**
 * Runs `work` while nobody else changes access lists for Bulkhead, in this process or another one: a list is read, changed and written
 * back, and what came in between would be lost. Throws `native_failed` when others take too long, and whatever `work` throws.
 */
export async function exclusively<T>(disk: Disk, lock: string, signal: AbortSignal | null, work: () => T | Promise<T>): Promise<T> {
  disk.makeDirectory(dirname(lock))
  for (const begun = Date.now(); ;) {
    signal?.throwIfAborted()
    const held = disk.security.lock(lock)
    if (held !== undefined) {
      try {
        return await work()
      } finally {
        held[Symbol.dispose]()
      }
    }
    if (Date.now() - begun > patienceMs) {
      throw new BulkheadError('native_failed', `somebody else has been changing access lists for ${patienceMs / 1000} s`, {
        operation: 'lock',
        where: lock,
      })
    }
    await sleep(2 + Math.random() * 8)
  }
}
