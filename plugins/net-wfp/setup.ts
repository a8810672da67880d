import type { LayerSetup, SetupContext } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { z } from 'zod'
import type { Filtering } from './filtering.ts'
import { pluginId } from './plan.ts'

const receiptShape = z.strictObject({ kind: z.literal('filtering-granted'), user: z.string() })

/**
 * One entry in the access list of the filter engine: the user who sets up may add filters without elevation afterwards. With it every
 * process of that user may block connections on this machine; it gives no way past anybody else's filters, and agents do not get it.
 */
export function wfpSetup(filtering: Filtering): LayerSetup {
  return {
    async describe(change, context) {
      const users = change === 'install' ? [filtering.user()] : usersOf(filtering, context)
      const lines: string[] = []
      for (const user of users) {
        const granted = await isGranted(filtering, user, change === 'remove' && isRecorded(context, user))
        if (granted !== (change === 'install'))
          lines.push(change === 'install' ? `let ${user} add network filters` : `take that from ${user}`)
      }
      return lines
    },
    async install(context) {
      const user = filtering.user()
      if (await isGranted(filtering, user, false)) return
      if (!isRecorded(context, user)) await context.record({ plugin: pluginId, data: { kind: 'filtering-granted', user } })
      await filtering.grant(user)
      context.report(`${user} may add network filters`)
    },
    async remove(context) {
      const failures: unknown[] = []
      for (const user of usersOf(filtering, context)) {
        try {
          if (!(await isGranted(filtering, user, true))) continue
          await filtering.revoke(user)
          context.report(`${user} may not add network filters any more`)
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** Who may not even look has no entry of his own; `otherwise` is what to believe then. */
async function isGranted(filtering: Filtering, user: string, otherwise: boolean): Promise<boolean> {
  try {
    return await filtering.granted(user)
  } catch (error) {
    if (BulkheadError.is(error) && error.details.nativeCode === 'EACCES') return otherwise
    throw error
  }
}

function usersOf(filtering: Filtering, { recorded }: SetupContext): readonly string[] {
  return [...new Set([...recorded.flatMap((receipt) => userOf(receipt.data)), filtering.user()])]
}

function isRecorded({ recorded }: SetupContext, user: string): boolean {
  return recorded.some((receipt) => userOf(receipt.data).includes(user))
}

function userOf(data: unknown): readonly string[] {
  const parsed = receiptShape.safeParse(data)
  return parsed.success ? [parsed.data.user] : []
}
