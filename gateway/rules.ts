import type { NetworkRule } from '../core/contracts/index.ts'
import type { Host } from './host.ts'
import { parseHost } from './host.ts'
import { isLoopback, isSynthetic, isUnspecified } from './ranges.ts'

/** Ports of a rule that names none. */
export const webPorts: readonly number[] = [80, 443]

export interface CompiledRule {
  readonly host: { readonly kind: 'exact'; readonly text: string } | { readonly kind: 'below'; readonly suffix: string }
  readonly ports: readonly number[]
}

/** The rule in the form that is matched, or why this layer cannot hold it (one line). */
export function compileRule(rule: NetworkRule): CompiledRule | string {
  const ports = rule.port === null ? webPorts : [rule.port]
  if (!ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)) return `${rule.host}: port ${rule.port} does not exist`
  if (rule.host.startsWith('*.')) {
    const below = parseHost(rule.host.slice(2))
    if (below?.kind !== 'name') return `${rule.host}: not a host name after the star`
    return { host: { kind: 'below', suffix: `.${below.text}` }, ports }
  }
  const host = parseHost(rule.host)
  if (host === null) return `${rule.host}: not a host name or IP address`
  const inner = insideOnly(host)
  return inner === null ? { host: { kind: 'exact', text: host.text }, ports } : `${rule.host}: ${inner}`
}

/** Addresses that never leave the job's own network, whatever a rule says. */
function insideOnly(host: Host): string | null {
  const hint = "it is the job's own; give the service a name, set it in the layer's option `hosts` and allow that name"
  if (host.kind === 'name') return host.text === 'localhost' || host.text.endsWith('.localhost') ? hint : null
  const { address } = host
  return isLoopback(address) || isUnspecified(address) || isSynthetic(address) ? hint : null
}

export function matchesHost(rule: CompiledRule, host: Host): boolean {
  if (rule.host.kind === 'exact') return rule.host.text === host.text
  return host.kind === 'name' && host.text.length > rule.host.suffix.length && host.text.endsWith(rule.host.suffix)
}
