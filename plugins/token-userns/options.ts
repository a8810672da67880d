import { z } from 'zod'

export const optionsSchema = z.strictObject({
  /** Name that the machine has for the agent (hostname(7)). The view's /etc/hosts knows the default. */
  hostname: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a host name of at most 63 letters, digits and hyphens')
    .default('bulkhead'),
})

export type TokenOptions = z.infer<typeof optionsSchema>
