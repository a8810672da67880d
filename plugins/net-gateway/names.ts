import { parseAddress } from '../../gateway/address.ts'
import type { Decider } from '../../gateway/decide.ts'
import type { Answer, Query } from './dns-message.ts'
import { decodeQuery, encodeFailure, encodeName, encodeResponse, recordTypes, responseCodes } from './dns-message.ts'
import type { Refusal } from '../../gateway/reasons.ts'

/** The nameserver that resolv.conf(5) inside names. Any other IPv4 address works too, but for 127.0.0.0/8 (the reply's source would differ). */
export const nameServerAddress = '198.18.0.1'

/** Where the numbering of names begins inside 198.18.0.0/15; what is before is the gateway's own. */
const firstIndex = 256
const capacity = 65_536
/** Seconds. An address keeps its name as long as the job lives, so this only bounds what a client's cache holds. */
const timeToLive = 300

/** Synthetic addresses of the names one job asked for. A name keeps its address, an address its name. */
export class NameTable {
  readonly #byName = new Map<string, string>()
  readonly #byAddress = new Map<string, string>()

  /** `name` canonical and allowed. null when the table is full: an address is never given to a second name. */
  addressOf(name: string): string | null {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    if (this.#byName.size >= capacity) return null
    const index = firstIndex + this.#byName.size
    const address = `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
    this.#byName.set(name, address)
    this.#byAddress.set(address, name)
    return address
  }

  nameAt(address: string): string | undefined {
    return this.#byAddress.get(address)
  }
}

/**
 * Answers DNS queries from policy alone: no query leaves the host for any name. Allowed names get their synthetic address, an empty
 * answer for every other record type (so no IPv6, and no HTTPS record with keys for an encrypted ClientHello); all others do not exist.
 */
export class NameServer {
  readonly #decider: Decider
  readonly #table: NameTable
  readonly #refused: (refusal: Refusal) => void

  constructor(decider: Decider, table: NameTable, refused: (refusal: Refusal) => void) {
    this.#decider = decider
    this.#table = table
    this.#refused = refused
  }

  /** The reply to send, or null when there is none. Never throws. */
  answer(message: Buffer): Buffer | null {
    const decoded = decodeQuery(message)
    if (decoded.kind === 'ignore') return null
    if (decoded.kind === 'bad') {
      this.#refused({ reason: 'malformed_query', object: 'DNS', remedy: null })
      return encodeFailure(decoded.id, decoded.code)
    }
    return this.#reply(decoded.query)
  }

  #reply(query: Query): Buffer {
    const name = query.labels.join('.').toLowerCase()
    const none = encodeResponse(query, responseCodes.nameError, [], timeToLive)
    // A dot inside a label would make two different questions read alike.
    if (query.labels.some((label) => label.includes('.')))
      return this.#refuse({ reason: 'malformed_host', object: name, remedy: null }, none)
    if (name === 'localhost' || name.endsWith('.localhost'))
      return encodeResponse(query, responseCodes.ok, loopback(query.type), timeToLive)
    if (/\.(?:in-addr|ip6)\.arpa$/.test(name)) return this.#reverse(query, name, none)
    const decision = this.#decider.name(name)
    if (!decision.allowed) return this.#refuse(decision.refusal, none)
    if (query.type !== recordTypes.A || query.class !== 1) return encodeResponse(query, responseCodes.ok, [], timeToLive)
    const address = this.#table.addressOf(decision.host.text)
    if (address === null) {
      const full = encodeResponse(query, responseCodes.serverFailure, [], timeToLive)
      return this.#refuse({ reason: 'too_many_names', object: decision.host.text, remedy: null }, full)
    }
    return encodeResponse(query, responseCodes.ok, [{ type: recordTypes.A, data: addressData(address) }], timeToLive)
  }

  /** Programs look up addresses they see; only ours have names. Anything else in these zones is a plain "no", not an attempt to get out. */
  #reverse(query: Query, name: string, none: Buffer): Buffer {
    const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
    const known = octets === null ? undefined : this.#table.nameAt(octets.slice(1).toReversed().join('.'))
    if (known !== undefined && query.type === recordTypes.PTR) {
      return encodeResponse(query, responseCodes.ok, [{ type: recordTypes.PTR, data: encodeName(known) }], timeToLive)
    }
    const wellFormed = octets !== null || /^(?:[0-9a-f]\.){32}ip6\.arpa$/.test(name)
    return wellFormed ? none : this.#refuse({ reason: 'host_not_allowed', object: name, remedy: null }, none)
  }

  #refuse(refusal: Refusal, reply: Buffer): Buffer {
    this.#refused(refusal)
    return reply
  }
}

/** RFC 6761 6.3: `localhost` is the loopback of whoever asks, here the job's own. */
function loopback(type: number): Answer[] {
  if (type === recordTypes.A) return [{ type, data: addressData('127.0.0.1') }]
  return type === recordTypes.AAAA ? [{ type, data: addressData('::1') }] : []
}

function addressData(text: string): Buffer {
  return Buffer.from(parseAddress(text)?.bytes ?? [])
}
