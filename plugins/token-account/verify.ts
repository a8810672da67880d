import { attackAll, describeAttempts, refused } from '../../core/contracts/index.ts'
import type { AgentAccount, Attempt, Evidence, Probe } from '../../core/contracts/index.ts'

/** Attacks on what an account of its own adds to a restricted token. `pool`: every account of this user. */
export function verifyAccount(account: AgentAccount, pool: readonly AgentAccount[], probe: Probe): Promise<readonly Evidence[]> {
  const asked: readonly Attempt[] = [{ op: 'status', field: 'user-sid' }]
  return attackAll(probe, [
    {
      claim: 'own-account',
      attempts: asked,
      judge: (outcomes) => ({
        held: outcomes.every(({ ok, value }) => ok && value === account.sid),
        detail: `${describeAttempts(asked, outcomes)}; leased: ${account.sid}`,
      }),
    },
    // ERROR_ACCESS_DENIED: a file that is not there would prove nothing.
    refused(
      'passwords-closed',
      pool.map(({ secretFile }) => ({ op: 'read', path: secretFile })),
      ['EACCES'],
    ),
  ])
}
