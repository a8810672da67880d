import { z } from 'zod'
import { parseAddress } from './address.ts'
import { parseAuthority, parseHost } from './host.ts'

/** Where a name leads by configuration instead of by looking it up. */
export interface Pin {
  readonly address: string
  /** null: the port that was asked for. */
  readonly port: number | null
}

/** `address`, `address:port` or `[v6]:port`. */
export const addressText = z.string().refine((text) => parsePin(text) !== null, 'expected an IP address, with an optional port')

export const hostName = z.string().refine((text) => parseHost(text)?.kind === 'name', 'expected a host name')

function parsePin(text: string): Pin | null {
  const bare = parseAddress(text)
  if (bare !== null) return { address: bare.text, port: null }
  const authority = parseAuthority(text, null)
  return authority?.host.kind === 'address' ? { address: authority.host.text, port: authority.port } : null
}

/** Pins by canonical name. */
export function parsePins(hosts: Readonly<Record<string, string>>): Map<string, Pin> {
  const pins = new Map<string, Pin>()
  for (const [name, text] of Object.entries(hosts)) {
    const host = parseHost(name)
    const pin = parsePin(text)
    if (host?.kind === 'name' && pin !== null) pins.set(host.text, pin)
  }
  return pins
}
