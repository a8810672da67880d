import { z } from 'zod'
import type { Claim, LayerPlan, NetworkPart, NetworkPolicy } from '../../core/contracts/index.ts'
import { namePort } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import type { CompiledRule } from './rules.ts'
import { compileRule, webPorts } from './rules.ts'

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
  readonly rules: readonly { readonly host: string; readonly port: number | null }[]
  readonly options: GatewayOptions
}

const dataSchema: z.ZodType<GatewayData> = z.strictObject({
  rules: z.array(z.strictObject({ host: z.string(), port: z.number().int().nullable() })),
  options: optionsSchema,
})

/** One listening socket each; with the one for names, what the native module hands out at most. */
const mostPorts = 31

export function planGateway(policy: NetworkPolicy, options: GatewayOptions): LayerPlan {
  const compiled = policy.allow.map(compileRule)
  const unsupported = compiled.filter((rule) => typeof rule === 'string').map((why) => `network.allow: ${why}`)
  const rules = policy.allow.filter((_, index) => typeof compiled[index] !== 'string').map(({ host, port }) => ({ host, port }))
  const ports = connectionPorts(
    compiled.filter((rule) => typeof rule !== 'string'),
    options,
  )
  if (ports.length > mostPorts) unsupported.push(`network.allow: more than ${mostPorts} different ports`)
  const allowed = rules.map(({ host, port }) => (port === null ? host : `${host}:${port}`))
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
      allowed.length === 0 ? 'nothing is allowed' : `allowed: ${allowed.join(', ')}`,
      ...(options.proxyPort === null ? [] : [`HTTP proxy for programs that want one: http://127.0.0.1:${options.proxyPort}`]),
    ],
    data,
  }
}

/** Throws a ZodError for anything but what `planGateway` made. */
export function readData(data: unknown): GatewayData {
  return dataSchema.parse(data)
}

export function compiledRules(data: GatewayData): CompiledRule[] {
  return data.rules.map(compileRule).filter((rule) => typeof rule !== 'string')
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

/** For programs that honour them. The job's own servers are reached directly. */
export function proxyVariables(port: number): Record<string, string> {
  const url = `http://127.0.0.1:${port}`
  const none = 'localhost,127.0.0.1,::1'
  return { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url, NO_PROXY: none, no_proxy: none }
}
