import { z } from 'zod'
import { addressText, hostName } from './pins.ts'

/** Options that mean the same whatever leads an agent's connections to the gateway. A plugin adds its own to this shape. */
export const sharedOptions = {
  /**
   * Addresses of names, like hosts(5), with an optional port to dial instead of the one asked for. A name given here may lead to a
   * private or loopback address of the host's network; it still needs a rule that allows it.
   */
  hosts: z.record(hostName, addressText).default({}),
  /** DNS servers that resolve allowed names. Default: the host's own way (getaddrinfo). */
  resolver: z.array(addressText).min(1).nullable().default(null),
  /** Connections of one job open at once; further ones are refused. */
  maxConnections: z.number().int().min(1).max(10_000).default(512),
  /** An encrypted ClientHello hides the name it is for. `allow` is needed by browsers that send one to every host (Chromium does). */
  encryptedClientHello: z.enum(['refuse', 'allow']).default('refuse'),
} as const

export type SharedOptions = z.infer<z.ZodObject<typeof sharedOptions>>
