import { z } from 'zod'

/** Options of every token layer that restricts a token. */
export const tokenOptions = z.strictObject({
  /**
   * `blind`: reading is checked against the job's SIDs too, so the agent sees only what is open to every user of the machine or was granted.
   * `write-restricted`: it reads as its user does, and only changes are checked twice. For tools that need the user's files to read.
   */
  tier: z.enum(['blind', 'write-restricted']).default('blind'),
  /** Mandatory integrity level. Absent: `low` for the tier `blind`, otherwise `medium`. Low keeps it from what everybody may write to. */
  integrity: z.enum(['low', 'medium']).optional(),
  /** A window station and a desktop of its own. Without, programs with windows may not start, or reach the user's. */
  privateDesktop: z.boolean().default(true),
  /**
   * Lets it make named objects of the session (mutexes, sections), by the logon's SID. Some shells need that: PowerShell and the Unix tools
   * of Git for Windows. It also opens the user's desktop and what programs of the user share by name.
   */
  sessionObjects: z.boolean().default(false),
  /** Mebibytes of memory that all its processes together may commit. null: not limited. */
  memory: z.int().min(64).nullable().default(null),
  /** Percent of all processors together. null: not limited. */
  cpu: z.int().min(1).max(100).nullable().default(null),
})

export type TokenOptions = z.infer<typeof tokenOptions>
