import assert from 'node:assert/strict'
import type { AgentAccount, CommandPart, LaunchSpec, Receipt, RestrictedToken, SetupContext } from '../../../core/contracts/index.ts'
import { agentPool, poolDirectory } from '../../../native/index.ts'
import { bareParts, restrictedToken } from './specs.ts'

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

/** Every account that was set up; all of them can be used. */
export function pool(): readonly AgentAccount[] {
  return agentPool(poolDirectory()).map(({ name, sid, secretFile, fault }) => {
    assert.equal(fault, null)
    return { name, sid, secretFile }
  })
}

/** A command under the account, which may read as the account does. */
export function under(account: AgentAccount, command: CommandPart, more: Partial<RestrictedToken> = {}): LaunchSpec {
  return { ...bareParts, token: { ...restrictedToken(), tier: 'write-restricted', integrity: 'medium', account, ...more }, command }
}
