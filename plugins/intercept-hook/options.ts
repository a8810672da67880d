import { z } from 'zod'

export const optionsSchema = z.strictObject({
  /**
   * A 32-bit program cannot be entered by a 64-bit DLL. `refuse`: it is not started; `report`: it runs unwatched, and each start is recorded.
   */
  wow64: z.enum(['refuse', 'report']).default('refuse'),
  /** Seconds that a call waits for the answer to a rule that asks; then the answer is no. */
  askTimeout: z.int().min(1).max(3600).default(60),
})

export type HookOptions = z.infer<typeof optionsSchema>
