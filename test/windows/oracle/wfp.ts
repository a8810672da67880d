/**
 * Filter arbitration as documented ("Filter Arbitration", "Filter Weight Assignment"): within a sublayer the heaviest filter that matches
 * decides; sublayers are asked from the heaviest down; a block overrides a permit unless the permit took away the right to change it.
 * `double/wfp/evaluate.c` is the same in C.
 */
import { accessCheck, mappings } from './access-check.ts'
import { parseSddl } from './sddl.ts'
import type { Token } from './token.ts'

export type Layer = 'connect-v4' | 'connect-v6' | 'accept-v4' | 'accept-v6' | 'listen-v4' | 'listen-v6' | 'assign-v4' | 'assign-v6'

export type Field = 'user' | 'protocol' | 'local-address' | 'local-port' | 'remote-address' | 'remote-port' | 'flags'
export type Match =
  | 'equal'
  | 'not-equal'
  | 'greater'
  | 'less'
  | 'greater-or-equal'
  | 'less-or-equal'
  | 'range'
  | 'all-set'
  | 'any-set'
  | 'none-set'

/** `value`: SDDL for a user; dotted or 32 hexadecimal digits for an address, with `/bits` for a network; `low-high` for a range of ports. */
export interface Condition {
  readonly field: Field
  readonly match: Match
  readonly value: string
}

export interface Filter {
  readonly layer: Layer
  readonly sublayer: string
  /** Class 0-15; undefined: the platform weighs it by itself. */
  readonly weight?: number
  readonly action: 'block' | 'permit'
  /** FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT: nobody after it may change the decision. */
  readonly hard?: boolean
  readonly conditions: readonly Condition[]
}

export interface Sublayer {
  readonly name: string
  readonly weight: number
}

export interface Flow {
  readonly layer: Layer
  readonly protocol: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly flags: number
}

/** Both families as one kind of number. */
function addressNumber(text: string): bigint {
  if (!text.includes('.')) {
    if (!/^[\da-f]{32}$/i.test(text)) throw new Error(`not an address: ${text}`)
    return BigInt(`0x${text}`)
  }
  return text.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n)
}

function number(text: string, field: Field): bigint {
  return field === 'local-address' || field === 'remote-address' ? addressNumber(text) : BigInt(text)
}

function fieldOf(flow: Flow, field: Field): bigint {
  switch (field) {
    case 'protocol':
      return BigInt(flow.protocol)
    case 'local-address':
      return addressNumber(flow.localAddress)
    case 'local-port':
      return BigInt(flow.localPort)
    case 'remote-address':
      return addressNumber(flow.remoteAddress)
    case 'remote-port':
      return BigInt(flow.remotePort)
    default:
      return BigInt(flow.flags)
  }
}

function inNetwork(value: bigint, network: string): boolean {
  const [address = '', bits = ''] = network.split('/')
  const width = address.includes('.') ? 32n : 128n
  const shift = width - BigInt(bits)
  return value >> shift === addressNumber(address) >> shift
}

function compare(match: Match, value: bigint, wanted: bigint): boolean {
  switch (match) {
    case 'equal':
      return value === wanted
    case 'not-equal':
      return value !== wanted
    case 'greater':
      return value > wanted
    case 'less':
      return value < wanted
    case 'greater-or-equal':
      return value >= wanted
    case 'less-or-equal':
      return value <= wanted
    case 'all-set':
      return (value & wanted) === wanted
    case 'any-set':
      return (value & wanted) !== 0n
    case 'none-set':
      return (value & wanted) === 0n
    default:
      throw new Error('a range has two ends')
  }
}

function matches({ field, match, value }: Condition, flow: Flow, token: Token): boolean {
  // FWP_ACTRL_MATCH_FILTER: whom the descriptor grants it, restricting SIDs included.
  if (field === 'user') return accessCheck(parseSddl(value), token, 1, mappings.wfp).status === 'granted'
  const actual = fieldOf(flow, field)
  if (value.includes('/')) return inNetwork(actual, value) === (match === 'equal')
  if (match !== 'range') return compare(match, actual, number(value, field))
  const [low = '', high = ''] = value.split('-')
  return actual >= number(low, field) && actual <= number(high, field)
}

/** Conditions on one field are alternatives; every field that is named must match. */
function filterMatches(filter: Filter, flow: Flow, token: Token): boolean {
  const named = new Set(filter.conditions.map(({ field }) => field))
  return [...named].every((field) => filter.conditions.some((condition) => condition.field === field && matches(condition, flow, token)))
}

/** The class fills the highest four bits, and more conditions weigh more within it. */
const weigh = ({ weight, conditions }: Filter): bigint => (BigInt(weight ?? 0) << 60n) | (BigInt(conditions.length) << 32n)

export function decide(sublayers: readonly Sublayer[], filters: readonly Filter[], flow: Flow, token: Token): 'block' | 'permit' {
  for (const { name } of sublayers.toSorted((one, other) => other.weight - one.weight)) {
    const [heaviest] = filters
      .filter((filter) => filter.sublayer === name && filter.layer === flow.layer && filterMatches(filter, flow, token))
      .toSorted((one, other) => (weigh(other) > weigh(one) ? 1 : weigh(other) < weigh(one) ? -1 : 0))
    if (heaviest === undefined) continue
    if (heaviest.action === 'block') return 'block'
    if (heaviest.hard === true) return 'permit'
  }
  return 'permit'
}
