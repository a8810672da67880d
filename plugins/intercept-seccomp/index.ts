import { z } from 'zod'
import type { AppliedLayer, ApplyContext, Availability, Host, LayerPlugin } from '../../core/contracts/index.ts'
import { planInterception, pluginId, readData } from './plan.ts'
import type { SeccompData } from './plan.ts'
import { denialOf } from './report.ts'
import { verifyInterception } from './verify.ts'

const options = z.strictObject({})

/**
 * A system-call filter, which is a wall, and a supervisor that answers the policy's rules, which is not: it looks at paths and addresses
 * that the agent can change after the look, so it reports, shapes and stops. The kernel walls of the other layers decide.
 *
 * Rules see the call, not its effect. They do not see datagrams sent by sendmsg(2), a program that an allowed interpreter or the dynamic
 * linker loads, writes through a descriptor or a hard link that is open already, or a file replaced by renaming (`file.rename` does).
 */
const plugin: LayerPlugin<z.infer<typeof options>> = {
  id: pluginId,
  layer: 'interception',
  contract: 1,
  options,
  provides: ['system-call-filter'],
  requires: [],
  probe,
  plan: (policy, _options, context) => planInterception(policy.interception, context.workspace.path),
  apply: (plan, context) => Promise.resolve(applied(readData(plan.data), context)),
  // The filter lives and dies with the job's processes, so no receipt is ever written.
  recover: () => Promise.resolve(),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  const { ok, reason } = await host.can('seccomp-notify')
  if (!ok) {
    return {
      usable: false,
      reason: `seccomp filter with a listener: ${reason}`,
      remedy: 'Use a kernel with CONFIG_SECCOMP_FILTER, outside containers that close seccomp(2), or choose another interception layer.',
    }
  }
  return { usable: true, tier: 'full', detail: 'system-call filter, rules answered by a supervisor' }
}

function applied(data: SeccompData, context: ApplyContext): AppliedLayer {
  return {
    contribute: (spec) => ({ ...spec, interception: { mechanism: 'linux-seccomp', rules: data.rules } }),
    attach: (sandbox) => {
      sandbox.onIntercepted((event) => context.report(denialOf(event)))
      return Promise.resolve()
    },
    verify: (attempts) => verifyInterception(data, attempts),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
