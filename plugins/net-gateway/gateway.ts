import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { parseAddress } from '../../gateway/address.ts'
import type { Decider } from '../../gateway/decide.ts'
import type { Host } from '../../gateway/host.ts'
import { formatAuthority } from '../../gateway/host.ts'
import { Passage } from '../../gateway/passage.ts'
import type { PassageSettings } from '../../gateway/passage.ts'
import { isLoopback, isSynthetic } from '../../gateway/ranges.ts'
import type { Reason, Refusal } from '../../gateway/reasons.ts'
import { serveDatagrams, serveStream } from './name-sockets.ts'
import { NameServer, NameTable } from './names.ts'

export interface GatewaySettings extends PassageSettings {
  readonly proxyPort: number | null
}

export const namePort = 53
const httpPort = 80

/**
 * The only way out of one job. Every connection of the job ends here, whatever address it was made to, and goes on only when policy
 * allows the name (or the very address) and what the client says first agrees with it.
 */
export class Gateway implements AsyncDisposable {
  readonly table = new NameTable()
  readonly names: NameServer
  readonly #passage: Passage
  readonly #proxyPort: number | null
  #nameConnections = 0

  constructor(settings: GatewaySettings) {
    this.#proxyPort = settings.proxyPort
    this.#passage = new Passage(settings)
    this.names = new NameServer(this.decider, this.table, (refusal) => this.#passage.refused(refusal))
  }

  get decider(): Decider {
    return this.#passage.decider
  }

  /** Takes over a bound UDP descriptor and answers names on it. */
  async serveNames(descriptor: number): Promise<void> {
    this.#passage.keep(await serveDatagrams(descriptor, this.names))
  }

  /** Takes over a listening TCP descriptor. */
  serveConnections(descriptor: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.enter(socket, socket.localAddress ?? '', socket.localPort ?? 0)
    })
    return this.#passage.listen(server, { fd: descriptor })
  }

  /** One new, paused connection that the job made to `address`:`port`. */
  enter(socket: Socket, address: string, port: number): void {
    const admitted = this.#passage.admit(socket)
    const to = parseAddress(address)
    if (to === null) return void socket.destroy()
    const host: Host = { kind: 'address', text: to.text, address: to }
    const object = formatAuthority(host, port)
    if (!admitted) return this.#turnAway(socket, port, refusal('too_many_connections', object))

    if (isLoopback(to)) {
      if (port === this.#proxyPort) return this.#passage.http(socket, { kind: 'proxy', credentials: null })
      return this.#turnAway(socket, port, refusal('own_loopback', object))
    }
    const name = isSynthetic(to) ? this.table.nameAt(to.text) : undefined
    const decision = this.decider.connection(name === undefined ? host : { kind: 'name', text: name }, port)
    if (decision.allowed) return this.#passage.tunnel(socket, decision.destination)
    if (port === namePort && name === undefined) {
      this.#nameConnections++
      return serveStream(socket, this.names)
    }
    // A synthetic address that has no name cannot be allowed by naming it.
    this.#turnAway(socket, port, isSynthetic(to) && name === undefined ? { ...decision.refusal, remedy: null } : decision.refusal)
  }

  /** Connections that reached the name server. */
  get nameConnections(): number {
    return this.#nameConnections
  }

  /** As `Passage.watching`. */
  watching<T>(act: (refusals: readonly Refusal[]) => Promise<T>): Promise<T> {
    return this.#passage.watching(act)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#passage[Symbol.asyncDispose]()
  }

  /** Resets, but tells an HTTP client in words. */
  #turnAway(socket: Socket, port: number, refusal: Refusal): void {
    this.#passage.refused(refusal)
    if (port === httpPort && refusal.reason !== 'too_many_connections') this.#passage.http(socket, { kind: 'refused', refusal })
    else socket.resetAndDestroy()
  }
}

function refusal(reason: Reason, object: string): Refusal {
  return { reason, object, remedy: null }
}
