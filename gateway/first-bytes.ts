import type { ClientHello } from './client-hello.ts'
import { parseClientHello } from './client-hello.ts'

/** Most that is kept of a client before it is known what it speaks. */
export const maximumFirstBytes = 36_864

/** What a client's first bytes are. `more`: not decidable yet. */
export type FirstBytes =
  | { readonly kind: 'more' }
  | { readonly kind: 'tls'; readonly hello: Exclude<ClientHello, { state: 'more' }> }
  | { readonly kind: 'http' }
  | { readonly kind: 'other' }

const more: FirstBytes = { kind: 'more' }
const other: FirstBytes = { kind: 'other' }

/**
 * Recognises TLS and HTTP generously (also with leading blank lines, odd methods, other versions), because what is recognised is then
 * parsed strictly and refused when it is odd, whereas what is not recognised may pass on an explicitly allowed port.
 */
export function classify(bytes: Buffer): FirstBytes {
  if (bytes.length === 0) return more
  if (bytes[0] === 22 && (bytes.length < 2 || bytes[1] === 3)) {
    const hello = parseClientHello(bytes)
    return hello.state === 'more' ? more : { kind: 'tls', hello }
  }
  const text = bytes.toString('latin1').trimStart()
  if (text.startsWith('SSH-')) return other
  const end = text.search(/[\r\n]/)
  const line = end < 0 ? text : text.slice(0, end)
  // Binary protocols show themselves by a control character before the first line end.
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(line)) return other
  if (/\sHTTP\/\d/i.test(line)) return { kind: 'http' }
  return end < 0 ? more : other
}
