import type { ClientHello } from './client-hello.ts'
import type { Destination } from './decide.ts'
import { formatAuthority, parseHost } from './host.ts'
import type { Reason, Refusal } from './reasons.ts'

/** fatal(2), unrecognized_name(112): lets a TLS client say what happened instead of "connection reset" (RFC 8446 6.2). */
export const unrecognizedName: Buffer = Buffer.from([21, 3, 3, 0, 2, 2, 112])

/**
 * The server name must be the host the connection was allowed for. To an address that a rule names, TLS goes without a server name
 * (RFC 6066 forbids addresses there) or with that address. null: fine.
 */
export function checkHello(
  hello: Exclude<ClientHello, { state: 'more' }>,
  { host, port }: Destination,
  encryptedClientHello: 'refuse' | 'allow',
): Refusal | null {
  const refuse = (reason: Reason, object = formatAuthority(host, port), remedy: string | null = null): Refusal => ({
    reason,
    object,
    remedy,
  })
  if (hello.state === 'invalid') return refuse('malformed_hello')
  if (hello.serverName === null && host.kind === 'name') return refuse('sni_missing')
  if (hello.serverName !== null) {
    const named = parseHost(hello.serverName)
    if (named === null) return refuse('malformed_host', `${hello.serverName}:${port}`)
    if (named.text !== host.text) return refuse('sni_mismatch', formatAuthority(named, port))
  }
  if (!hello.encrypted || encryptedClientHello === 'allow') return null
  return refuse('ech_refused', undefined, 'options of the network layer: encryptedClientHello: allow')
}
