import type { Receipt, SetupContext } from '../../../core/contracts/index.ts'

/** Setting up as `bulkhead setup` does it, with the ledger in memory. */
export class SetupDesk {
  readonly receipts: Receipt[] = []
  readonly reported: string[] = []

  context(accounts: number | null): SetupContext {
    return {
      host: { platform: 'win32', uid: null, gid: null, home: 'C:\\', can: () => Promise.reject(new Error('not asked')) },
      options: { accounts },
      signal: new AbortController().signal,
      recorded: [...this.receipts],
      record: async (receipt) => void this.receipts.push(receipt),
      report: (line) => void this.reported.push(line),
    }
  }
}
