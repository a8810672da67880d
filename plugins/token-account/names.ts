import { createHash } from 'node:crypto'
import { z } from 'zod'

export const pluginId = 'token-account'

/** Agents that can run at once when nobody says how many. */
export const usualCount = 8

/** The most that one user can have; what `bulkhead setup --remove` looks for when nothing is recorded. */
export const mostAccounts = 64

/**
 * Names are the same for the same user each time, so that an interrupted set-up is found again, and another user's of the same machine are
 * others. `bulkhead-` and six characters and a number: at most 20 characters (Win32: “NetUserAdd”).
 */
export function accountName(owner: string, index: number): string {
  const digest = createHash('sha256').update(owner).digest()
  return `bulkhead-${digest.readUInt32LE(0).toString(36).padStart(7, '0').slice(-6)}-${String(index).padStart(2, '0')}`
}

/** By which Bulkhead knows an account again as its own. */
export function accountComment(owner: string): string {
  return `Bulkhead agent account of ${owner}`
}

/**
 * What members of the group may be used for (“Account Rights Constants”). CreateProcessWithLogonW asks for the right to log on locally, so
 * that one cannot be denied; nobody knows the passwords. Every other kind of logon is refused even to those who would.
 */
export const groupRights = [
  'SeInteractiveLogonRight',
  'SeDenyNetworkLogonRight',
  'SeDenyRemoteInteractiveLogonRight',
  'SeDenyBatchLogonRight',
  'SeDenyServiceLogonRight',
]

/**
 * BUILTIN\Users. Every signed-in user is a member through Authenticated Users unless somebody changed that; a restricted token reads the
 * system's directories as this group, so membership is not left to chance.
 */
export const usersSid = 'S-1-5-32-545'

/**
 * A file with a password, or (with `inherited`) the directory of such files: the user, SYSTEM and Administrators, nobody by inheritance. The
 * label keeps processes of low integrity from reading, so that an agent that runs as this very user and may read what the user reads cannot
 * take the passwords of the accounts.
 */
export function secretDescriptor(owner: string, inherited: boolean): string {
  const flags = inherited ? 'OICI' : ''
  const list = ['SY', 'BA', owner].map((who) => `(A;${flags};FA;;;${who})`).join('')
  return `D:P${list}S:(ML;${flags};NRNWNX;;;ME)`
}

/** What `setup` records before each effect. */
export const setupReceipt = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('directory'), path: z.string() }),
  z.object({ kind: z.literal('group') }),
  /** `sid` is known once the account exists; its profile is found by it when the account is gone already. */
  z.object({ kind: z.literal('account'), name: z.string(), sid: z.string().nullable() }),
  z.object({ kind: z.literal('programs'), path: z.string(), identity: z.string() }),
])

export type SetupReceipt = z.infer<typeof setupReceipt>
