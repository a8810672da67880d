import { setTimeout as delay } from 'node:timers/promises'
import { BulkheadError } from '../contracts/error.ts'
import type { Journal } from '../contracts/journal.ts'

/** Waits until the named lock of the journal is ours. Throws `interrupted` when `signal` aborts first. */
export async function waitForLock(journal: Journal, name: string, orchestrator: string, signal?: AbortSignal): Promise<Disposable> {
  for (;;) {
    if (signal?.aborted === true) throw new BulkheadError('interrupted', 'Stopped while another bulkhead command was at work.')
    const lock = journal.lock(name, orchestrator)
    if (lock !== undefined) return lock
    // Jitter keeps waiting processes from asking in step.
    await delay(20 + Math.random() * 60)
  }
}
