import { z } from 'zod'

export const optionsSchema = z.strictObject({
  /** Shows, read-only, the toolchains that the PATH of Bulkhead leads to outside the system's directories, and the Node.js it runs on. */
  toolchains: z.boolean().default(true),
  /**
   * Who answers names: `gateway` is the name server of a network layer that has one, `host` the machine's own, for environments whose
   * network layer leaves the host's network in place.
   */
  resolver: z.enum(['gateway', 'host']).default('gateway'),
  /**
   * A repository's own `.git` in a workspace that has no git directory of the agent's own (`bulkhead exec` in a checkout). Writable, the
   * agent can plant configuration and hooks that run on the host with the next git command there.
   */
  hostGit: z.enum(['read-only', 'writable']).default('read-only'),
})

export type ViewOptions = z.infer<typeof optionsSchema>
