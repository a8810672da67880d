import { z } from 'zod'
import { parseAddress } from './address.ts'
import { parseAuthority, parseHost } from './host.ts'

/** `address`, `address:port` or `[v6]:port`. */
const addressText = z.string().refine((text) => parsePin(text) !== null, 'expected an IP address, with an optional port')

const hostName = z.string().refine((text) => parseHost(text)?.kind === 'name', 'expected a host name')

export const optionsSchema = z.strictObject({
  /**
   * Addresses of names, like hosts(5), with an optional port to dial instead of the one asked for. A name given here may lead to a
   * private or loopback address of the host's network; it still needs a rule that allows it.
   */
  hosts: z.record(hostName, addressText).default({}),
  /** DNS servers that resolve allowed names. Default: the host's own way (getaddrinfo(3)). */
  resolver: z.array(addressText).min(1).nullable().default(null),
  /**
   * Sets HTTP_PROXY and its family for the agent. Not needed: every program reaches allowed hosts without it. Useful for programs that
   * look names up themselves in a way the sandbox does not have.
   */
  proxyVariables: z.boolean().default(false),
  /** Port on the job's loopback of the HTTP proxy; null: none. */
  proxyPort: z.number().int().min(1024).max(65_535).nullable().default(3128),
  /** Connections of one job open at once; further ones are refused. */
  maxConnections: z.number().int().min(1).max(10_000).default(512),
  /** An encrypted ClientHello hides the name it is for. `allow` is needed by browsers that send one to every host (Chromium does). */
  encryptedClientHello: z.enum(['refuse', 'allow']).default('refuse'),
})

export type GatewayOptions = z.infer<typeof optionsSchema>

export interface Pin {
  readonly address: string
  /** null: the port that was asked for. */
  readonly port: number | null
}

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
