import type { Address } from './address.ts'
import { ipv4 } from './address.ts'

/**
 * IPv4 blocks that are not the public internet (IANA special-purpose registry, RFC 6890), and the one public address that clouds use
 * for their metadata service (Azure's 168.63.129.16; the others lie in link-local, CGNAT or IETF space).
 */
const closed4: readonly (readonly [network: readonly [number, number, number, number], bits: number, name: string])[] = [
  [[0, 0, 0, 0], 8, 'this network'],
  [[10, 0, 0, 0], 8, 'private'],
  [[100, 64, 0, 0], 10, 'carrier-grade NAT'],
  [[127, 0, 0, 0], 8, 'loopback'],
  [[168, 63, 129, 16], 32, 'cloud metadata'],
  [[169, 254, 0, 0], 16, 'link-local and metadata'],
  [[172, 16, 0, 0], 12, 'private'],
  [[192, 0, 0, 0], 24, 'IETF protocol assignments'],
  [[192, 0, 2, 0], 24, 'documentation'],
  [[192, 88, 99, 0], 24, '6to4 relay'],
  [[192, 168, 0, 0], 16, 'private'],
  [[198, 18, 0, 0], 15, 'benchmarking and synthetic'],
  [[198, 51, 100, 0], 24, 'documentation'],
  [[203, 0, 113, 0], 24, 'documentation'],
  [[224, 0, 0, 0], 4, 'multicast'],
  [[240, 0, 0, 0], 4, 'reserved and broadcast'],
]

/** Blocks inside 2000::/3 (the only global unicast space in use) that lead elsewhere. */
const closed6: readonly (readonly [prefix: readonly number[], bits: number, name: string])[] = [
  [[0x20, 0x01, 0x00], 23, 'IETF protocol assignments, Teredo, ORCHID'],
  [[0x20, 0x01, 0x0d, 0xb8], 32, 'documentation'],
  [[0x20, 0x02], 16, '6to4'],
  [[0x3f, 0xff, 0x00], 20, 'documentation'],
]

/** 64:ff9b::/96, RFC 6052: the last four bytes are the IPv4 address that a translator will reach. */
const translated = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] as const

/** Why an address that a name resolved to is not dialled; null for a public address. */
export function closedRange(address: Address): string | null {
  if (address.family === 4) return closed4.find(([network, bits]) => within(address.bytes, network, bits))?.[2] ?? null
  if (within(address.bytes, translated, 96)) return closedRange(ipv4(address.bytes.slice(12)))
  if (!within(address.bytes, [0x20], 3)) return 'not global unicast'
  return closed6.find(([prefix, bits]) => within(address.bytes, prefix, bits))?.[2] ?? null
}

export function isLoopback(address: Address): boolean {
  return address.family === 4 ? address.bytes[0] === 127 : address.text === '::1'
}

/** 198.18.0.0/15, RFC 2544: what the gateway's name server answers with. */
export function isSynthetic(address: Address): boolean {
  return address.family === 4 && within(address.bytes, [198, 18], 15)
}

export function isUnspecified(address: Address): boolean {
  return address.bytes.every((byte) => byte === 0)
}

function within(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  for (let index = 0; index * 8 < bits; index++) {
    const mask = bits - index * 8 >= 8 ? 0xff : (0xff << (8 - (bits - index * 8))) & 0xff
    if (((bytes[index] ?? 0) & mask) !== ((prefix[index] ?? 0) & mask)) return false
  }
  return true
}
