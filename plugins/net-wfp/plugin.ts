import type { Availability, Host, LayerPlugin } from '../../core/contracts/index.ts'
import { applyWfp } from './apply.ts'
import type { Filtering } from './filtering.ts'
import type { WfpOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { planWfp, pluginId } from './plan.ts'
import { wfpSetup } from './setup.ts'

/**
 * Windows Filtering Platform filters on the account that the agent runs as: TCP to the job's gateway on the loopback, and nothing else. The
 * gateway is an HTTP proxy; a program that does not speak to one does not get out.
 *
 * Where there is no account to filter by, or no right to set filters, and the user accepts that in writing, the gateway is still there.
 */
export function wfpPlugin(filtering: Filtering): LayerPlugin<WfpOptions> {
  return {
    id: pluginId,
    layer: 'network',
    contract: 1,
    options: optionsSchema,
    provides: [],
    // Without an account there is still the gateway: see `planWfp`.
    requires: [],
    probe,
    plan: (policy, options, context) => planWfp(policy.network, options, context),
    apply: (plan, context) => applyWfp(filtering, plan, context),
    // Filters live in a session that ends with this process, and so does the gateway: no receipt is ever written.
    recover: () => Promise.resolve(),
    setup: wfpSetup(filtering),
  }
}

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'win32') {
    return { usable: false, reason: 'the Windows Filtering Platform is a part of Windows', remedy: 'Choose another network layer.' }
  }
  const { ok, reason } = await host.can('filtering-platform')
  if (ok) return { usable: true, tier: 'partial', detail: 'filters on the agent’s account leave it its gateway only' }
  return {
    usable: false,
    reason: `filtering-platform: ${reason}`,
    remedy: 'Run `bulkhead setup windows` once, as an administrator: it lets you set network filters.',
    degradable: true,
  }
}
