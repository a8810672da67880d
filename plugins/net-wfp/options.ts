import { z } from 'zod'
import { sharedOptions } from '../../gateway/options.ts'

export const optionsSchema = z.strictObject({
  ...sharedOptions,
  /**
   * Tells the agent's programs of the gateway (http_proxy and its family). It is the only way out, so without this only programs that are
   * configured otherwise find it.
   */
  proxyVariables: z.boolean().default(true),
})

export type WfpOptions = z.infer<typeof optionsSchema>
