import { domainToASCII } from 'node:url'
import type { Address } from './address.ts'
import { parseAddress } from './address.ts'

/** The one canonical spelling of whom to talk to: what is matched against the policy is this value, and this value is dialled. */
export type Host =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'address'; readonly text: string; readonly address: Address }

export interface Authority {
  readonly host: Host
  readonly port: number
}

/**
 * Canonicalises a host name or IP literal (brackets allowed around IPv6); null when it is not one.
 *
 * Names: lower-case ASCII, labels of 1-63 letters, digits, `_` and inner `-`, at most 253 characters, one trailing dot dropped,
 * other scripts as punycode (UTS 46). Refused: control characters, NUL, `%`, `@`, spaces, zone ids, and every name whose last label
 * reads as a number (`127.1`, `0x7f.1`, `2130706433`, `017700000001`), because inet_aton(3) would take it for an address.
 */
export function parseHost(text: string): Host | null {
  if (text.length === 0 || text.length > 255) return null
  const bracketed = /^\[([0-9a-fA-F:.]+)\]$/.exec(text)
  const literal = parseAddress(bracketed?.[1] ?? text)
  if (bracketed !== null && !text.includes(':')) return null
  if (literal !== null) return { kind: 'address', text: literal.text, address: literal }
  const name = canonicalName(text)
  return name === null ? null : { kind: 'name', text: name }
}

function canonicalName(text: string): string | null {
  // Only other scripts go through UTS 46: for ASCII it would turn `0x7f.1` into an address and drop what we must refuse.
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
  if (name.length === 0 || name.length > 253) return null
  const labels = name.split('.')
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return null
  return /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? null : name
}

/** Reads `host`, `host:port` or `[v6]:port`; `defaultPort` null makes the port mandatory. Userinfo, an empty port and port 0 are refused. */
export function parseAuthority(text: string, defaultPort: number | null): Authority | null {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) return null
  const host = parseHost(parts[1] ?? '')
  const port = parts[2] === undefined ? defaultPort : Number(parts[2])
  return host === null || port === null || port < 1 || port > 65_535 ? null : { host, port }
}

/** `host:port` as it is reported and written in a policy. */
export function formatAuthority(host: Host, port: number): string {
  return host.kind === 'address' && host.address.family === 6 ? `[${host.text}]:${port}` : `${host.text}:${port}`
}
