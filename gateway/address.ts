import { isIPv6 } from 'node:net'

/** An IP address in its one canonical spelling. IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2) are IPv4 addresses here. */
export interface Address {
  readonly family: 4 | 6
  /** Dotted quad, or RFC 5952. */
  readonly text: string
  /** 4 or 16 bytes in network order. */
  readonly bytes: readonly number[]
}

/** Reads exactly four decimal octets or an IPv6 address without zone. Anything else, also what inet_aton(3) would take, is null. */
export function parseAddress(text: string): Address | null {
  const four = parseIPv4(text)
  if (four !== null) return ipv4(four)
  const sixteen = parseIPv6(text)
  return sixteen === null ? null : fromIPv6(sixteen)
}

export function ipv4(bytes: readonly number[]): Address {
  return { family: 4, text: bytes.join('.'), bytes }
}

function fromIPv6(bytes: readonly number[]): Address {
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return mapped ? ipv4(bytes.slice(12)) : { family: 6, text: formatIPv6(bytes), bytes }
}

function parseIPv4(text: string): number[] | null {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return null
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

function parseIPv6(text: string): number[] | null {
  // isIPv6 accepts zone ids; an address with a zone means something else on every machine.
  if (text.includes('%') || !isIPv6(text)) return null
  const [head = '', tail] = text.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  return [...left, ...Array.from({ length: 16 - left.length - right.length }, () => 0), ...right]
}

/** Bytes of colon-separated groups, the last of which may be a dotted quad. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups compressed. */
function formatIPv6(bytes: readonly number[]): string {
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0))
  let start = -1
  let length = 1
  for (let from = 0; from < 8; from++) {
    let run = 0
    while (from + run < 8 && words[from + run] === 0) run++
    if (run > length) {
      start = from
      length = run
    }
  }
  const hex = words.map((word) => word.toString(16))
  if (start < 0) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
