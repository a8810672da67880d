import type { Host } from './host.ts'
import { formatAuthority, parseHost } from './host.ts'
import type { Reason, Refusal } from './reasons.ts'
import type { CompiledRule } from './rules.ts'
import { matchesHost, webPorts } from './rules.ts'

/** Whom an allowed connection is for. Made by `Decider` only, so holding one means that a rule allows it. */
export interface Destination {
  readonly host: Host
  readonly port: number
}

export type Decision =
  | { readonly allowed: true; readonly destination: Destination }
  | { readonly allowed: false; readonly refusal: Refusal }

/** The policy's answers. Pure. No rules: everything is refused. */
export class Decider {
  readonly #rules: readonly CompiledRule[]

  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules
  }

  /** Is there any port on which `host` may be reached? */
  knows(host: Host): boolean {
    return this.#rules.some((rule) => matchesHost(rule, host))
  }

  connection(host: Host, port: number): Decision {
    const rules = this.#rules.filter((rule) => matchesHost(rule, host))
    if (rules.some((rule) => rule.ports.includes(port))) return { allowed: true, destination: { host, port } }
    const unknown: Reason = host.kind === 'address' ? 'address_not_allowed' : 'host_not_allowed'
    return refuse(rules.length > 0 ? 'port_not_allowed' : unknown, host, port)
  }

  /** Decides about a name as it was asked of the name server, where no port is known yet. */
  name(text: string): { readonly allowed: true; readonly host: Host } | { readonly allowed: false; readonly refusal: Refusal } {
    const host = parseHost(text)
    if (host?.kind !== 'name') return { allowed: false, refusal: { reason: 'malformed_host', object: text, remedy: null } }
    if (this.knows(host)) return { allowed: true, host }
    return { allowed: false, refusal: { reason: 'host_not_allowed', object: host.text, remedy: policyLine(host, null) } }
  }
}

function refuse(reason: Reason, host: Host, port: number): Decision {
  return { allowed: false, refusal: { reason, object: formatAuthority(host, port), remedy: policyLine(host, port) } }
}

/** The policy line that would allow it. */
function policyLine(host: Host, port: number | null): string {
  return `network.allow: [${port === null || webPorts.includes(port) ? host.text : formatAuthority(host, port)}]`
}
