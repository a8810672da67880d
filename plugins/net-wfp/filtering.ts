import { closeNetwork, grantFiltering, mayFilter, revokeFiltering, userOfThisProcess } from '../../native/windows/wfp.ts'

/** What this plugin needs of the Windows Filtering Platform; tests put another one in its place. */
export interface Filtering {
  /** Closes the network to a local account (SID) but for TCP to 127.0.0.1:port, until it is disposed or this process ends. */
  close(account: string, port: number): Promise<AsyncDisposable>
  /** SID of the user this process runs as. */
  user(): string
  /** May `user` add filters without elevation, by the entry that `grant` makes? */
  granted(user: string): Promise<boolean>
  grant(user: string): Promise<void>
  revoke(user: string): Promise<void>
}

export const windowsFiltering: Filtering = {
  close: closeNetwork,
  user: userOfThisProcess,
  granted: mayFilter,
  grant: grantFiltering,
  revoke: revokeFiltering,
}
