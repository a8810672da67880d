import type { AppliedLayer, ApplyContext, Availability, Host, LayerPlugin } from '../../core/contracts/index.ts'
import type { HookOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { planHook, pluginId, readData } from './plan.ts'
import type { HookData } from './plan.ts'
import { denialOf } from './report.ts'
import { verifyHook } from './verify.ts'

/**
 * A DLL in every process of the job that hooks the system calls of ntdll and answers the policy's rules. It is policy and observation on top of
 * the token, the access lists and the network filters, and no wall: a program can make system calls by itself, restore the hooked code, or
 * change arguments after they were read, and then meets those walls.
 *
 * Rules see the call, not its effect. They do not see writes through a handle that is open already or was inherited, what services of the
 * system do at the agent's request, or a 32-bit program that was let through (`wow64: report`).
 */
const plugin: LayerPlugin<HookOptions> = {
  id: pluginId,
  layer: 'interception',
  contract: 1,
  options: optionsSchema,
  provides: [],
  requires: [],
  probe,
  plan: (policy, options, context) => planHook(policy.interception, options, context.workspace.path),
  apply: (plan, context) => Promise.resolve(applied(readData(plan.data), context)),
  // The DLL lives and dies with the job's processes, so no receipt is ever written.
  recover: () => Promise.resolve(),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  const { ok, reason } = await host.can('hook-injection')
  if (ok) return { usable: true, tier: 'partial', detail: 'system calls hooked in every process, rules answered there' }
  return {
    usable: false,
    reason: `bringing the hook into a process: ${reason}`,
    remedy: 'Look for security software that changes ntdll or forbids threads in other processes, or choose another interception layer.',
  }
}

function applied(data: HookData, context: ApplyContext): AppliedLayer {
  const { rules, wow64, askTimeoutMs } = data
  return {
    contribute: (spec) => ({ ...spec, interception: { mechanism: 'windows-hook', rules, wow64, askTimeoutMs } }),
    attach: (sandbox) => {
      sandbox.onIntercepted((event) => context.report(denialOf(event)))
      const { ask } = context
      if (ask !== undefined) sandbox.onAsked((question) => ask(question, AbortSignal.timeout(askTimeoutMs)))
      return Promise.resolve()
    },
    verify: (attempts) => verifyHook(data, attempts),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
