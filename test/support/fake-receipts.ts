import type { Journal, ReceiptOwner } from '../../core/contracts/journal.ts'
import type { Receipt } from '../../core/contracts/layer.ts'

type ReceiptJournal = Pick<Journal, 'record' | 'settle' | 'receipts' | 'orchestrators' | 'lock'>

/** The part of the journal that enforcement uses, in memory. */
export class FakeReceipts implements ReceiptJournal {
  readonly stored = new Map<number, ReceiptOwner & { readonly receipt: Receipt }>()
  processes: ReturnType<Journal['orchestrators']> = []
  readonly locked = new Set<string>()
  failRecord: Error | undefined
  failSettle: Error | undefined
  #next = 1

  record(owner: ReceiptOwner, receipt: Receipt): number {
    if (this.failRecord !== undefined) throw this.failRecord
    const id = this.#next++
    // Through text, as a database would have it.
    this.stored.set(id, { ...owner, receipt: JSON.parse(JSON.stringify(receipt)) as Receipt })
    return id
  }

  settle(receipt: number): void {
    if (this.failSettle !== undefined) throw this.failSettle
    this.stored.delete(receipt)
  }

  receipts(): ReturnType<Journal['receipts']> {
    return [...this.stored].map(([id, entry]) => ({ id, ...entry }))
  }

  orchestrators(): ReturnType<Journal['orchestrators']> {
    return this.processes
  }

  lock(name: string): Disposable | undefined {
    if (this.locked.has(name)) return undefined
    this.locked.add(name)
    return { [Symbol.dispose]: () => void this.locked.delete(name) }
  }
}
