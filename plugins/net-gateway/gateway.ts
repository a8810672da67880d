import type { Socket as DatagramSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Denial } from '../../core/contracts/index.ts'
import { parseAddress } from './address.ts'
import { Decider } from './decide.ts'
import type { Destination } from './decide.ts'
import { Denials } from './denials.ts'
import type { Host } from './host.ts'
import { formatAuthority } from './host.ts'
import { HttpDoor } from './http-door.ts'
import { serveDatagrams, serveStream } from './name-sockets.ts'
import { NameServer, NameTable } from './names.ts'
import type { Pin } from './options.ts'
import { isLoopback, isSynthetic } from './ranges.ts'
import type { Reason, Refusal } from './reasons.ts'
import type { Lookup } from './resolve.ts'
import { HostResolver } from './resolve.ts'
import type { CompiledRule } from './rules.ts'
import { Tunnels } from './tunnel.ts'

export interface GatewaySettings {
  readonly plugin: string
  readonly rules: readonly CompiledRule[]
  readonly pins: ReadonlyMap<string, Pin>
  readonly lookup: Lookup
  readonly proxyPort: number | null
  readonly maxConnections: number
  readonly encryptedClientHello: 'refuse' | 'allow'
  report(denial: Denial): void
  /** Milliseconds; see `TunnelOptions` and `HttpDoorOptions`. */
  readonly helloMs?: number
  readonly silentMs?: number
}

export const namePort = 53
const httpPort = 80
const nothing = Buffer.alloc(0)

/**
 * The only way out of one job. Every connection of the job ends here, whatever address it was made to, and goes on only when policy
 * allows the name (or the very address) and what the client says first agrees with it.
 */
export class Gateway implements AsyncDisposable {
  readonly decider: Decider
  readonly table = new NameTable()
  readonly names: NameServer
  readonly #settings: GatewaySettings
  readonly #denials: Denials
  readonly #tunnels: Tunnels
  readonly #http: HttpDoor
  readonly #servers: (Server | DatagramSocket)[] = []
  readonly #sockets = new Set<Socket>()
  #watch: ((refusal: Refusal) => void) | null = null
  #nameConnections = 0

  constructor(settings: GatewaySettings) {
    const { helloMs = 10_000, silentMs = 300 } = settings
    this.#settings = settings
    this.#denials = new Denials(settings.plugin, (denial) => settings.report(denial))
    this.decider = new Decider(settings.rules)
    const refused = (refusal: Refusal): void => this.#refused(refusal)
    const resolver = new HostResolver(settings.lookup, settings.pins)
    this.names = new NameServer(this.decider, this.table, refused)
    this.#tunnels = new Tunnels({
      resolver,
      refused,
      helloMs,
      silentMs,
      encryptedClientHello: settings.encryptedClientHello,
      http: (socket, bytes, destination) => this.#http.accept(socket, bytes, { kind: 'fixed', destination }),
    })
    this.#http = new HttpDoor({
      decider: this.decider,
      resolver,
      refused,
      headMs: helloMs,
      tunnel: (socket, head, destination) => this.#tunnel(socket, head, destination),
    })
  }

  /** Takes over a bound UDP descriptor and answers names on it. */
  async serveNames(descriptor: number): Promise<void> {
    this.#servers.push(await serveDatagrams(descriptor, this.names))
  }

  /** Takes over a listening TCP descriptor. */
  serveConnections(descriptor: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.enter(socket, socket.localAddress ?? '', socket.localPort ?? 0)
    })
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ fd: descriptor }, () => {
        server.off('error', reject)
        // accept(2) failing (descriptors exhausted) costs that connection, not the gateway.
        server.on('error', () => undefined)
        resolve()
      })
    })
  }

  /** One new, paused connection that the job made to `address`:`port`. */
  enter(socket: Socket, address: string, port: number): void {
    socket.on('error', () => socket.destroy())
    const to = parseAddress(address)
    if (to === null) return void socket.destroy()
    const host: Host = { kind: 'address', text: to.text, address: to }
    const object = formatAuthority(host, port)
    if (this.#sockets.size >= this.#settings.maxConnections) return this.#turnAway(socket, port, refusal('too_many_connections', object))
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))

    if (isLoopback(to)) {
      if (port === this.#settings.proxyPort) return this.#http.accept(socket, nothing, { kind: 'proxy' })
      return this.#turnAway(socket, port, refusal('own_loopback', object))
    }
    const name = isSynthetic(to) ? this.table.nameAt(to.text) : undefined
    const decision = this.decider.connection(name === undefined ? host : { kind: 'name', text: name }, port)
    if (decision.allowed) return this.#tunnel(socket, nothing, decision.destination)
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

  /** While `act` runs, refusals go to the returned list instead of being reported: they are our own attacks. */
  async watching<T>(act: (refusals: readonly Refusal[]) => Promise<T>): Promise<T> {
    const seen: Refusal[] = []
    this.#watch = (refusal) => seen.push(refusal)
    try {
      return await act(seen)
    } finally {
      this.#watch = null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.splice(0).map((server) => new Promise<void>((resolve) => void server.close(() => resolve())))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
    this.#denials.flush()
  }

  /** Whatever was not foreseen ends the connection, not the process. */
  #tunnel(socket: Socket, head: Buffer, destination: Destination): void {
    this.#tunnels.serve(socket, head, destination).catch(() => socket.destroy())
  }

  #refused(refusal: Refusal): void {
    if (this.#watch === null) this.#denials.refused(refusal)
    else this.#watch(refusal)
  }

  /** Resets, but tells an HTTP client in words. */
  #turnAway(socket: Socket, port: number, refusal: Refusal): void {
    this.#refused(refusal)
    if (port === httpPort && refusal.reason !== 'too_many_connections') this.#http.accept(socket, nothing, { kind: 'refused', refusal })
    else socket.resetAndDestroy()
  }
}

function refusal(reason: Reason, object: string): Refusal {
  return { reason, object, remedy: null }
}
