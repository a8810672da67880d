import { z } from 'zod'
import type { Claim, LayerPlan, NetworkPolicy, PlanContext } from '../../core/contracts/index.ts'
import type { PlannedRules } from '../../gateway/policy.ts'
import { describeRules, rulesShape, splitPolicy } from '../../gateway/policy.ts'
import type { WfpOptions } from './options.ts'
import { optionsSchema } from './options.ts'

export const pluginId = 'net-wfp'

/** The capability whose value is the SID of the account that the agent runs as. */
export const accountCapability = 'account'

const claims = {
  'only-the-gateway-answers': 'Every connection but the one to the job’s gateway is refused by the kernel, over IPv4 and IPv6.',
  'host-loopback-unreachable': 'Services on the loopback of this machine cannot be reached.',
  'nothing-listens': 'The agent cannot take connections.',
  'no-datagrams': 'The agent cannot send or receive datagrams: no DNS, no QUIC.',
  'gateway-is-the-jobs-own': 'The gateway serves nobody but this job.',
} as const satisfies Record<string, string>

export type ClaimId = keyof typeof claims

/** What `apply` needs; plain JSON, checked again when it is read back. */
export interface WfpData {
  readonly rules: PlannedRules
  readonly options: WfpOptions
  /** false: no filter is set, the gateway is only offered. */
  readonly walled: boolean
}

const dataSchema: z.ZodType<WfpData> = z.strictObject({ rules: rulesShape, options: optionsSchema, walled: z.boolean() })

type Circumstances = Pick<PlanContext, 'availability' | 'capabilities'>

export function planWfp(policy: NetworkPolicy, options: WfpOptions, circumstances: Circumstances): LayerPlan {
  const { rules, unsupported } = splitPolicy(policy)
  const open = whyOpen(circumstances)
  const walled = open === null
  const data: WfpData = { rules, options, walled }
  return {
    plugin: pluginId,
    layer: 'network',
    // What services of the system do at the agent's request is not seen by filters on its account.
    tier: walled ? 'partial' : 'none',
    enforces: walled ? Object.entries(claims).map(([id, text]): Claim => ({ id, text })) : [],
    unsupported: walled ? unsupported : [`anything: ${open}, so programs are only asked to use the gateway`, ...unsupported],
    steps: [
      'gateway: HTTP proxy on 127.0.0.1, on a free port, with credentials of this job',
      ...(options.proxyVariables ? ['http_proxy, https_proxy and no_proxy name it'] : ['no variable names it']),
      describeRules(rules),
      ...(walled ? walls : ['no filter is set: connections that do not go through the gateway are not seen']),
    ],
    data,
  }
}

const walls: readonly string[] = [
  'filters on the agent’s account, IPv4 and IPv6: connecting, accepting, listening, datagrams and raw sockets are refused, but for TCP to that port',
  'not held: what services of the system do for the agent. The DNS client service looks names up, and file sharing connects to \\\\host\\share; neither acts under the agent’s account',
]

/** null: filters can be set, and there is an account to set them for. */
function whyOpen({ availability, capabilities }: Circumstances): string | null {
  if (!availability.usable) return `no filter can be set here (${availability.reason})`
  return capabilities.includes(accountCapability) ? null : 'no other layer gives the agent an account, which is what filters match'
}

/** Throws a ZodError for anything but what `planWfp` made. */
export function readData(data: unknown): WfpData {
  return dataSchema.parse(data)
}
