import type { ListenOptions, Server, Socket } from 'node:net'
import type { Denial } from '../core/contracts/index.ts'
import { Decider } from './decide.ts'
import type { Destination } from './decide.ts'
import { Denials } from './denials.ts'
import type { HttpPurpose } from './http-door.ts'
import { HttpDoor } from './http-door.ts'
import type { SharedOptions } from './options.ts'
import { parsePins } from './pins.ts'
import type { Refusal } from './reasons.ts'
import type { Lookup } from './resolve.ts'
import { HostResolver, serverLookup, systemLookup } from './resolve.ts'
import type { CompiledRule } from './rules.ts'
import { Tunnels } from './tunnel.ts'

export interface PassageSettings {
  /** Named in denials. */
  readonly plugin: string
  readonly rules: readonly CompiledRule[]
  readonly options: SharedOptions
  report(denial: Denial): void
  /** Instead of what the options say. */
  readonly lookup?: Lookup
  /** Milliseconds; see `TunnelOptions` and `HttpDoorOptions`. */
  readonly helloMs?: number
  readonly silentMs?: number
}

interface Closable {
  close(done: () => void): unknown
}

const nothing = Buffer.alloc(0)

/**
 * The way out of one job: everything from the decision about a connection to its last byte, and the denials. How connections come here
 * (what they were made to, and who may make them) is the business of the plugin that leads them here.
 */
export class Passage implements AsyncDisposable {
  readonly decider: Decider
  readonly #most: number
  readonly #denials: Denials
  readonly #tunnels: Tunnels
  readonly #http: HttpDoor
  readonly #doors: Closable[] = []
  readonly #sockets = new Set<Socket>()
  #watch: ((refusal: Refusal) => void) | null = null

  constructor(settings: PassageSettings) {
    const { helloMs = 10_000, silentMs = 300, options } = settings
    const lookup = settings.lookup ?? (options.resolver === null ? systemLookup : serverLookup(options.resolver))
    const resolver = new HostResolver(lookup, parsePins(options.hosts))
    const refused = (refusal: Refusal): void => this.refused(refusal)
    this.#most = options.maxConnections
    this.#denials = new Denials(settings.plugin, (denial) => settings.report(denial))
    this.decider = new Decider(settings.rules)
    this.#tunnels = new Tunnels({
      resolver,
      refused,
      helloMs,
      silentMs,
      encryptedClientHello: options.encryptedClientHello,
      http: (socket, bytes, destination) => this.#http.accept(socket, bytes, { kind: 'fixed', destination }),
    })
    this.#http = new HttpDoor({
      decider: this.decider,
      resolver,
      refused,
      headMs: helloMs,
      tunnel: (socket, head, destination) => this.#serve(socket, head, destination),
    })
  }

  /** Closes `door` with everything else. */
  keep(door: Closable): void {
    this.#doors.push(door)
  }

  /** Makes `server` listen, and keeps it. Rejects with Node's error. */
  listen(server: Server, where: ListenOptions & { readonly fd?: number }): Promise<void> {
    this.keep(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, () => {
        server.off('error', reject)
        // accept failing (descriptors exhausted) costs that connection, not the gateway.
        server.on('error', () => undefined)
        resolve()
      })
    })
  }

  /** Counts a new connection; false when there are too many, and then it is the caller's to end. */
  admit(socket: Socket): boolean {
    socket.on('error', () => socket.destroy())
    if (this.#sockets.size >= this.#most) return false
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return true
  }

  /** Carries a paused connection that was decided about. */
  tunnel(socket: Socket, destination: Destination): void {
    this.#serve(socket, nothing, destination)
  }

  /** Hands over a paused connection that speaks HTTP, or will be refused in HTTP. */
  http(socket: Socket, purpose: HttpPurpose): void {
    this.#http.accept(socket, nothing, purpose)
  }

  refused(refusal: Refusal): void {
    if (this.#watch === null) this.#denials.refused(refusal)
    else this.#watch(refusal)
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
    const closed = this.#doors.splice(0).map((door) => new Promise<void>((resolve) => void door.close(() => resolve())))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
    this.#denials.flush()
  }

  /** Whatever was not foreseen ends the connection, not the process. */
  #serve(socket: Socket, head: Buffer, destination: Destination): void {
    this.#tunnels.serve(socket, head, destination).catch(() => socket.destroy())
  }
}
