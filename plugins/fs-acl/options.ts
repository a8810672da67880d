import { z } from 'zod'

export const optionsSchema = z.strictObject({
  /**
   * Integrity that the workspace is open to. `low` fits a token layer with low integrity; `none` leaves the workspace at the user's level,
   * for agents that run at that level too.
   */
  label: z.enum(['low', 'none']).default('low'),
  /**
   * What the token layer makes of reading. `confined`: what only the user may read is closed to the agent. `open`: it reads as the user does
   * (a token that is restricted in writing only), so nothing is claimed about reading.
   */
  reads: z.enum(['confined', 'open']).default('confined'),
  /** Lets the agent read the toolchains on Bulkhead's PATH that only the user may read, and the Node.js it runs on. */
  toolchains: z.boolean().default(true),
  /**
   * A repository's own `.git` in a workspace that has no git directory of the agent's own (`bulkhead exec` in a checkout). Writable, the
   * agent can plant configuration and hooks that run on the host with the next git command there.
   */
  hostGit: z.enum(['read-only', 'writable']).default('read-only'),
  /** Directories that were there before are granted entry by entry. One with more than this is refused, for that takes long. */
  entries: z.number().int().min(1).max(1_000_000).default(50_000),
})

export type AclOptions = z.infer<typeof optionsSchema>
