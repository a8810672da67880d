import { lookup } from 'node:dns/promises'
import { Resolver } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import type { Address } from './address.ts'
import { parseAddress } from './address.ts'
import type { Destination } from './decide.ts'
import { formatAuthority } from './host.ts'
import type { Pin } from './pins.ts'
import { closedRange } from './ranges.ts'
import type { Refusal } from './reasons.ts'

/** Addresses of a canonical name; rejects when there are none. */
export type Lookup = (name: string) => Promise<readonly string[]>

export const systemLookup: Lookup = async (name) => (await lookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address)

/** `servers` as in `dns.setServers`. */
export function serverLookup(servers: readonly string[]): Lookup {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  resolver.setServers(servers)
  return async (name) => {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}

/** Where to dial. Only addresses that were checked are in it; nothing is looked up again afterwards, so a second answer cannot slip in. */
export type Resolution =
  | { readonly kind: 'found'; readonly addresses: readonly Address[]; readonly port: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unknown' }

const keptMs = 5000
const keptNames = 256
/** getaddrinfo(3) occupies a thread of the pool that all of Node shares (4 by default): one job must not take them all. */
const lookupsAtOnce = 2

/** Resolves allowed destinations on the host side. Answers are kept for some seconds, so that a burst of connections asks once. */
export class HostResolver {
  readonly #lookup: Lookup
  readonly #pins: ReadonlyMap<string, Pin>
  readonly #ownAddresses: () => ReadonlySet<string>
  readonly #waiting: (() => void)[] = []
  #running = 0
  readonly #kept = new Map<string, { readonly at: number; readonly addresses: Promise<readonly string[]> }>()

  constructor(lookup: Lookup, pins: ReadonlyMap<string, Pin>, ownAddresses: () => ReadonlySet<string> = machineAddresses) {
    this.#lookup = lookup
    this.#pins = pins
    this.#ownAddresses = ownAddresses
  }

  async resolve({ host, port }: Destination): Promise<Resolution> {
    // A rule named this very address.
    if (host.kind === 'address') return { kind: 'found', addresses: [host.address], port }
    const pin = this.#pins.get(host.text)
    if (pin !== undefined) {
      const address = parseAddress(pin.address)
      return address === null ? { kind: 'unknown' } : { kind: 'found', addresses: [address], port: pin.port ?? port }
    }
    const texts = await this.#addressesOf(host.text).catch(() => [])
    const addresses = texts.map(parseAddress).filter((address) => address !== null)
    if (addresses.length === 0) return { kind: 'unknown' }
    const own = this.#ownAddresses()
    const open = addresses.filter((address) => closedRange(address) === null && !own.has(address.text))
    if (open.length > 0) return { kind: 'found', addresses: open, port }
    const remedy = `options of the network layer: hosts: {${host.text}: ${addresses[0]?.text}}`
    return { kind: 'refused', refusal: { reason: 'private_address', object: formatAuthority(host, port), remedy } }
  }

  #addressesOf(name: string): Promise<readonly string[]> {
    const now = performance.now()
    const kept = this.#kept.get(name)
    if (kept !== undefined && now - kept.at < keptMs) return kept.addresses
    const addresses = this.#lookupInTurn(name)
    this.#kept.delete(name)
    this.#kept.set(name, { at: now, addresses })
    const oldest = this.#kept.keys().next()
    if (this.#kept.size > keptNames && oldest.done !== true) this.#kept.delete(oldest.value)
    return addresses
  }

  async #lookupInTurn(name: string): Promise<readonly string[]> {
    if (this.#running >= lookupsAtOnce) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    this.#running++
    try {
      return await this.#lookup(name)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}

/** Public addresses of this machine lead to services that a firewall may hide from everybody else. */
function machineAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return new Set(all.map(({ address }) => parseAddress(address)?.text ?? address))
}
