import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import type { NetworkRule } from '../contracts/policy.ts'

export type ParsedRule = { readonly rule: NetworkRule } | { readonly problem: string; readonly remedy: string }

const example = 'Write a host such as api.example.com, *.example.com, 192.0.2.1 or [2001:db8::1], with :port when it is not 80 or 443.'

/**
 * Reads `host` or `host:port` of `policy.network.allow`. Only the one canonical ASCII spelling of a host is taken, so that what is
 * written, what is matched and what is dialled are the same; for any other spelling the remedy names the canonical one.
 */
export function parseNetworkRule(text: string): ParsedRule {
  if (text === '*' || text === '*.*') return problem(`"${text}" would allow every host`, 'Name the hosts, for instance *.example.com.')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return problem(`"${text}" is a URL, not a host`, withHost(text))
  if (text.includes('/')) return problem(`"${text}" has a path; only hosts can be allowed`, example)
  if (text.includes('@')) return problem(`"${text}" has user information; only hosts can be allowed`, example)
  // A bare IPv6 literal cannot be told from a host with a port unless it stands alone.
  if (isIPv6(text)) return hostRule(text, null)
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text)
  if (parts === null) return problem(`"${text}" is not a host`, example)
  const port = parts[2] === undefined ? null : portOf(parts[2])
  if (port === undefined) return problem(`"${parts[2]}" is not a port`, 'Write a number from 1 to 65535 after the colon.')
  return hostRule(parts[1] ?? '', port)
}

export function formatNetworkRule({ host, port }: NetworkRule): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === null ? name : `${name}:${port}`
}

/** True when everything that `narrow` allows is allowed by `wide` as well. Both canonical. */
export function coversRule(wide: NetworkRule, narrow: NetworkRule): boolean {
  const ports = wide.port === narrow.port || (wide.port === null && (narrow.port === 80 || narrow.port === 443))
  return ports && coversHost(wide.host, narrow.host)
}

function coversHost(wide: string, narrow: string): boolean {
  if (!wide.startsWith('*.')) return wide === narrow
  const suffix = wide.slice(1)
  // `*.b.c` covers `a.b.c` and `*.a.b.c`, and itself; never the bare `b.c`.
  return wide === narrow || (narrow.endsWith(suffix) && narrow.length > suffix.length)
}

function hostRule(text: string, port: number | null): ParsedRule {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1]
  const literal = bracketed ?? text
  if (isIPv4(text)) return { rule: { host: text, port } }
  if (isIPv6(literal))
    return literal.includes('%') ? problem(`"${text}" has a zone`, 'Leave out the part from % on.') : addressRule(literal, port)
  if (bracketed !== undefined) return problem(`"${text}" is not an IPv6 address`, example)
  const wildcard = text.startsWith('*.')
  const name = wildcard ? text.slice(2) : text
  if (name.includes('*'))
    return problem(`"${text}" has a star that is not its whole first label`, 'Write *.example.com for all subdomains.')
  const canonical = canonicalName(name)
  if (canonical === undefined) return problem(`"${text}" is not a host name or IP address`, example)
  if (canonical !== name) return problem(`"${text}" is not written canonically`, `Write ${wildcard ? '*.' : ''}${canonical}.`)
  if (wildcard && !name.includes('.')) return problem(`"${text}" would allow a whole top-level domain`, `Write *.example.${name}.`)
  return { rule: { host: text, port } }
}

function addressRule(literal: string, port: number | null): ParsedRule {
  // WHATWG URL serialises IPv6 as RFC 5952 says, but leaves mapped IPv4 addresses in hexadecimal.
  const canonical = new URL(`http://[${literal}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (mapped !== null) {
    const [high = 0, low = 0] = mapped.slice(1).map((word) => Number.parseInt(word, 16))
    const four = [high >> 8, high & 255, low >> 8, low & 255].join('.')
    return problem(`"${literal}" is an IPv4 address in disguise`, `Write ${four}.`)
  }
  return canonical === literal
    ? { rule: { host: literal, port } }
    : problem(`"${literal}" is not written canonically`, `Write ${canonical}.`)
}

/** Lower-case ASCII, other scripts as punycode (UTS 46), no trailing dot; undefined when it is no host name or reads as an address. */
function canonicalName(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
  if (name.length === 0 || name.length > 253) return undefined
  const labels = name.split('.')
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return undefined
  // inet_aton(3) takes `127.1`, `0x7f.1` and `2130706433` for addresses.
  return /^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? undefined : name
}

function portOf(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

function withHost(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : ''
  return host === '' ? example : `Write ${host}.`
}

function problem(what: string, remedy: string): ParsedRule {
  return { problem: what, remedy }
}
