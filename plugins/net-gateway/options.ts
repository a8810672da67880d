import { z } from 'zod'
import { sharedOptions } from '../../gateway/options.ts'

export const optionsSchema = z.strictObject({
  ...sharedOptions,
  /**
   * Sets HTTP_PROXY and its family for the agent. Not needed: every program reaches allowed hosts without it. Useful for programs that
   * look names up themselves in a way the sandbox does not have.
   */
  proxyVariables: z.boolean().default(false),
  /** Port on the job's loopback of the HTTP proxy; null: none. */
  proxyPort: z.number().int().min(1024).max(65_535).nullable().default(3128),
})

export type GatewayOptions = z.infer<typeof optionsSchema>
