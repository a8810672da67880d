import { BulkheadError } from '../contracts/error.ts'
import type { Journal, Liveness } from '../contracts/journal.ts'
import type { PluginDriver } from './driver.ts'
import type { LayerRegistry } from './registry.ts'

export interface RecoveryParts {
  readonly journal: Pick<Journal, 'settle' | 'receipts' | 'orchestrators' | 'lock'>
  readonly orchestrator: string
  readonly isAlive: Liveness
  readonly registry: LayerRegistry
  readonly driver: PluginDriver
}

type StoredReceipt = ReturnType<Journal['receipts']>[number]

/**
 * Undoes what orchestrators that are gone had begun, last effect first, and settles their receipts. One line per receipt, also for those
 * that had to be kept because their plugin is not installed or failed. Does nothing while another process does the same.
 */
export async function recoverReceipts(parts: RecoveryParts): Promise<readonly string[]> {
  if (orphaned(parts).length === 0) return []
  const lock = parts.journal.lock('enforcement-recovery', parts.orchestrator)
  if (lock === undefined) return []
  try {
    const lines: string[] = []
    // Read again: whoever held the lock before may have settled them.
    for (const stored of orphaned(parts)) lines.push(await recoverOne(parts, stored))
    return lines
  } finally {
    lock[Symbol.dispose]()
  }
}

function orphaned({ journal, orchestrator, isAlive }: RecoveryParts): readonly StoredReceipt[] {
  const receipts = journal.receipts()
  if (receipts.length === 0) return []
  const alive = new Set(journal.orchestrators().flatMap((record) => (isAlive(record) ? [record.id] : [])))
  return receipts
    .filter((stored) => stored.orchestrator !== orchestrator && !alive.has(stored.orchestrator))
    .toSorted((a, b) => b.id - a.id)
}

async function recoverOne({ journal, registry, driver }: RecoveryParts, { id, job, receipt }: StoredReceipt): Promise<string> {
  const what = `what ${receipt.plugin} had begun for ${job}`
  try {
    const plugin = registry.find(receipt.plugin)
    if (plugin === undefined) return `kept ${what}: plugin "${receipt.plugin}" is not installed, so it cannot be undone`
    await driver.recover(plugin, receipt)
    journal.settle(id)
    return `undid ${what}`
  } catch (error) {
    return `kept ${what}: ${BulkheadError.from(error).message}`
  }
}
