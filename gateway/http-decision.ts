import type { Decider, Decision, Destination } from './decide.ts'
import type { Authority } from './host.ts'
import { formatAuthority, parseAuthority } from './host.ts'
import type { RawHeaders } from './http-headers.ts'
import { framing, values } from './http-headers.ts'
import type { Reason } from './reasons.ts'
import { parseRequestTarget } from './request-target.ts'

export interface RequestHead {
  readonly method: string
  /** As sent. */
  readonly target: string
  readonly headers: RawHeaders
}

export type HttpDecision =
  | (Decision & { readonly allowed: false })
  | { readonly allowed: true; readonly destination: Destination; readonly path: string }

/**
 * Decides about one HTTP request. `fixed` is whom the connection is for (transparent, or inside CONNECT); null on the proxy port, where
 * each request says it. Every place in which the request names a host must name the same one.
 */
export function decideRequest(request: RequestHead, fixed: Destination | null, decider: Decider): HttpDecision {
  const object = fixed === null ? request.target : formatAuthority(fixed.host, fixed.port)
  const target = parseRequestTarget(request.target)
  const hosts = values(request.headers, 'host')
  if (target === null || hosts.length > 1 || framing(request.headers) === null) return refuse('malformed_request', object)
  if (request.method === 'CONNECT' || request.method === 'PRI') return refuse('unsupported_request', object)

  const aim = fixed ?? (target.form === 'absolute' ? target.authority : null)
  // Origin form on the proxy port: a request to the proxy itself, which offers nothing.
  if (aim === null) return refuse('unsupported_request', object)
  const said = hosts.map((text) => parseAuthority(text, target.form === 'absolute' ? 80 : aim.port))
  if (target.form === 'absolute') said.push(target.authority)
  else if (said.length === 0) return refuse('host_mismatch', object)
  const other = said.find((authority) => !same(authority, aim))
  if (other !== undefined) return refuse('host_mismatch', other === null ? (hosts[0] ?? '') : formatAuthority(other.host, other.port))

  const decision = fixed === null ? decider.connection(aim.host, aim.port) : ({ allowed: true, destination: fixed } as const)
  return decision.allowed ? { ...decision, path: target.path } : decision
}

/** Decides about CONNECT on the proxy port. */
export function decideConnect(request: RequestHead, decider: Decider): Decision {
  const aim = parseAuthority(request.target, null)
  if (aim === null) return refuse('malformed_host', request.target)
  const hosts = values(request.headers, 'host')
  if (hosts.length > 1 || framing(request.headers) !== 'none') return refuse('malformed_request', request.target)
  const other = hosts.map((text) => parseAuthority(text, aim.port)).find((authority) => authority?.host.text !== aim.host.text)
  if (other !== undefined) return refuse('host_mismatch', hosts[0] ?? '')
  return decider.connection(aim.host, aim.port)
}

function same(authority: Authority | null, aim: Authority): boolean {
  return authority !== null && authority.host.text === aim.host.text && authority.port === aim.port
}

function refuse(
  reason: Reason,
  object: string,
): { readonly allowed: false; readonly refusal: { reason: Reason; object: string; remedy: null } } {
  return { allowed: false, refusal: { reason, object, remedy: null } }
}
