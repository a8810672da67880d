import { z } from 'zod'
import type { LayerPlan, Policy } from '../../core/contracts/index.ts'

/** The folder's name, once you have copied this one. */
export const pluginId = 'net-closed'

export const optionsSchema = z.strictObject({
  /** Says in the plan why this environment has no network. */
  reason: z.string().max(200).default('this environment has no network'),
})

export type ClosedOptions = z.infer<typeof optionsSchema>

/** What `apply` needs of policy and options. It goes through the journal, so it is read again with a schema. */
const dataShape = z.object({ reason: z.string() })

export function readData(data: unknown): z.infer<typeof dataShape> {
  return dataShape.parse(data)
}

/** Pure: no clock, no environment, no files. Its test is a table of whole plans. */
export function planClosed(policy: Policy, options: ClosedOptions): LayerPlan {
  return {
    plugin: pluginId,
    layer: 'network',
    tier: 'full',
    // Claims are promises: `verify` returns one piece of evidence for each.
    enforces: [
      { id: 'host-unreachable', text: 'Services of the host that listen on loopback only cannot be reached.' },
      { id: 'no-route', text: 'No address outside can be reached.' },
    ],
    // What the policy asks for and this mechanism cannot give. The job is refused unless the user degraded this layer.
    unsupported: policy.network.allow.map(({ host }) => `network.allow: ${host} cannot be reached from an environment without network`),
    steps: [`network namespace of its own with loopback only: ${options.reason}`],
    data: { reason: options.reason },
  }
}
