import { z } from 'zod'
import type { Claim, LayerPlan, NetworkPart, NetworkPolicy } from '../../core/contracts/index.ts'
import type { PlannedRules } from '../../gateway/policy.ts'
import { describeRules, rulesShape, splitPolicy } from '../../gateway/policy.ts'
import type { CompiledRule } from '../../gateway/rules.ts'
import { webPorts } from '../../gateway/rules.ts'
import { namePort } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { optionsSchema } from './options.ts'

export const pluginId = 'net-gateway'

const claims = {
  'no-way-but-the-gateway':
    'The agent has its own network with loopback only; every connection ends at the gateway or is refused by the kernel.',
  'host-loopback-unreachable': 'Services on the loopback of the host cannot be reached.',
  'private-networks-unreachable': 'Private, link-local and metadata addresses cannot be reached unless a rule names that address.',
  'names-decided-by-policy': 'Names that no rule allows do not exist for the agent, and no query for them leaves the host.',
} as const satisfies Record<string, string>

export type ClaimId = keyof typeof claims

/** What `apply` needs; plain JSON, checked again when it is read back. */
export interface GatewayData {
  readonly rules: PlannedRules
  readonly options: GatewayOptions
}

const dataSchema: z.ZodType<GatewayData> = z.strictObject({
  rules: rulesShape,
  options: optionsSchema,
})

/** One listening socket each; with the one for names, what the native module hands out at most. */
const mostPorts = 31

export function planGateway(policy: NetworkPolicy, options: GatewayOptions): LayerPlan {
  const { rules, compiled, unsupported: unheld } = splitPolicy(policy)
  const unsupported = [...unheld]
  const ports = connectionPorts(compiled, options)
  if (ports.length > mostPorts) unsupported.push(`network.allow: more than ${mostPorts} different ports`)
  const data: GatewayData = { rules, options }
  return {
    plugin: pluginId,
    layer: 'network',
    tier: 'full',
    enforces: Object.entries(claims).map(([id, text]): Claim => ({ id, text })),
    unsupported,
    steps: [
      'own network namespace: loopback only, every address local to it',
      `TCP listeners of the gateway on ports ${ports.join(', ')}; the agent's own servers need other ports`,
      'names are answered by the gateway with synthetic addresses out of 198.18.0.0/15',
      describeRules(rules),
      ...(options.proxyPort === null ? [] : [`HTTP proxy for programs that want one: http://127.0.0.1:${options.proxyPort}`]),
    ],
    data,
  }
}

/** Throws a ZodError for anything but what `planGateway` made. */
export function readData(data: unknown): GatewayData {
  return dataSchema.parse(data)
}

/** Ports with a TCP listener. The web ports always have one, so that attempts there are refused with an event instead of silently. */
export function connectionPorts(rules: readonly CompiledRule[], { proxyPort }: Pick<GatewayOptions, 'proxyPort'>): number[] {
  const ports = new Set([namePort, ...webPorts, ...rules.flatMap((rule) => rule.ports), ...(proxyPort === null ? [] : [proxyPort])])
  return [...ports].toSorted((left, right) => left - right)
}

export function networkPart(ports: readonly number[]): NetworkPart {
  return {
    mechanism: 'linux-netns',
    anyAddress: true,
    listeners: [{ protocol: 'udp', port: namePort }, ...ports.map((port) => ({ protocol: 'tcp', port }) as const)],
  }
}
