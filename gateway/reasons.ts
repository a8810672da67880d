/** Why something was refused: the closed list of this layer's denial reasons and what each one says to a person. */
const reasons = {
  host_not_allowed: 'no rule allows this host',
  port_not_allowed: 'the host is allowed, this port is not',
  address_not_allowed: 'an address that no rule names',
  own_loopback: 'nothing of the job listens there, and the loopback of the host is not reachable',
  private_address: 'the name leads to an address that is not public',
  malformed_host: 'not a canonical host name',
  malformed_query: 'not a well-formed DNS query',
  malformed_request: 'not a well-formed HTTP request',
  unsupported_request: 'a kind of request the gateway does not carry',
  malformed_hello: 'not a well-formed TLS ClientHello',
  host_mismatch: 'the request names another host than the connection',
  sni_mismatch: 'the TLS server name is another host than the connection',
  sni_missing: 'TLS without a server name',
  ech_refused: 'an encrypted ClientHello hides whom it is for',
  proxy_credentials: 'the proxy belongs to one job, and the request does not come from it',
  unknown_protocol: 'neither TLS nor HTTP on a web port',
  hello_timeout: 'the client said too little for too long',
  too_many_connections: 'too many connections at once',
  too_many_names: 'too many different names',
  events_lost: 'refusals came too fast to report each',
} as const

export type Reason = keyof typeof reasons

/** A decision against. `object` is hostile text. */
export interface Refusal {
  readonly reason: Reason
  readonly object: string
  readonly remedy: string | null
}

/** The one line a refused client is shown (HTTP body): printable ASCII only, because `object` comes from the agent. */
export function explain(refusal: Refusal): string {
  const remedy = refusal.remedy === null ? '' : ` Allowed by: ${refusal.remedy}`
  return `bulkhead: ${refusal.object}: ${reasons[refusal.reason]} (${refusal.reason}).${remedy}`.replaceAll(/[^ -~]/g, '?')
}
