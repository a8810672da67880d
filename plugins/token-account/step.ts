import { BulkheadError } from '../../core/contracts/index.ts'
import type { SetupContext } from '../../core/contracts/index.ts'
import { pluginId } from './names.ts'
import type { SetupReceipt } from './names.ts'

/** One thing to do: described before, recorded when it begins, reported when it is done. */
export interface Step {
  readonly text: string
  readonly done: string
  act(record: (receipt: SetupReceipt) => Promise<void>): Promise<void>
}

/** Stops at the first failure. */
export async function carryOut(steps: readonly Step[], context: SetupContext): Promise<void> {
  for (const step of steps) {
    await step.act(async (receipt) => context.record({ plugin: pluginId, data: receipt }))
    context.report(step.done)
  }
}

/** Tries every step, and then throws what the first failure was, with all of them as its cause. */
export async function carryOutAll(steps: readonly Step[], context: SetupContext): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      await carryOut([step], context)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 0) return
  const { code, message, details } = BulkheadError.from(failures[0], 'setup_incomplete')
  throw new BulkheadError(code, message, { ...details, cause: new AggregateError(failures) })
}
