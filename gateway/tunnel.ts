import type { Socket } from 'node:net'
import { checkHello, unrecognizedName } from './check-hello.ts'
import type { Destination } from './decide.ts'
import { dial } from './dial.ts'
import { formatAuthority } from './host.ts'
import { join } from './join.ts'
import { peek } from './peek.ts'
import type { Peeked } from './peek.ts'
import type { Reason, Refusal } from './reasons.ts'
import type { HostResolver } from './resolve.ts'
import { webPorts } from './rules.ts'

export interface TunnelOptions {
  readonly resolver: HostResolver
  readonly encryptedClientHello: 'refuse' | 'allow'
  /** Milliseconds a client has to show what it speaks. */
  readonly helloMs: number
  /** Milliseconds after which a client on an explicitly allowed port is taken to wait for the server to speak first (SMTP, MySQL). */
  readonly silentMs: number
  refused(refusal: Refusal): void
  /** Takes over a connection that speaks HTTP. */
  http(socket: Socket, bytes: Buffer, destination: Destination): void
}

const nothing = Buffer.alloc(0)

/**
 * Carries one connection to an allowed destination, after its first bytes said the same name.
 *
 * TLS must carry the name as SNI; HTTP goes to the HTTP door, which checks every request. On ports 80 and 443 nothing else passes. On a
 * port that a rule names itself, other protocols pass by host and port alone (ssh, git, databases): what they say first is still read,
 * whenever it comes, so that TLS and HTTP for another name are refused there too.
 */
export class Tunnels {
  readonly #options: TunnelOptions

  constructor(options: TunnelOptions) {
    this.#options = options
  }

  /** `socket` is paused; `head` was read from it. */
  async serve(socket: Socket, head: Buffer, destination: Destination): Promise<void> {
    const web = webPorts.includes(destination.port)
    const { helloMs, silentMs } = this.#options
    const first = await peek(socket, head, { totalMs: helloMs, silentMs: web ? null : silentMs })
    if (first.kind === 'silent' && !web) return this.#serverFirst(socket, destination)
    // A connection opened ahead of need and never used is not an attempt at anything.
    if (first.kind === 'silent' || first.kind === 'closed') return void socket.destroy()
    if (first.kind === 'http') return this.#options.http(socket, first.bytes, destination)
    if (!this.#passes(first, socket, destination)) return
    const upstream = await this.#dial(socket, destination)
    if (upstream === null) return
    upstream.write(first.bytes)
    join(socket, upstream)
  }

  /** The server may speak; the client's first bytes are held back until they were read. */
  async #serverFirst(socket: Socket, destination: Destination): Promise<void> {
    const upstream = await this.#dial(socket, destination)
    if (upstream === null) return
    const reset = (): void => void socket.resetAndDestroy()
    const drop = (): void => void upstream.destroy()
    upstream.once('error', reset)
    socket.once('close', drop)
    upstream.pipe(socket)
    const first = await peek(socket, nothing, { totalMs: null, silentMs: null })
    upstream.off('error', reset)
    socket.off('close', drop)
    upstream.unpipe(socket)
    if (socket.destroyed) return drop()
    if (first.kind === 'closed' || first.kind === 'silent') return join(socket, upstream)
    if (first.kind === 'http') {
      upstream.on('error', () => undefined)
      drop()
      // The server has spoken first, so it is not HTTP that follows.
      if (upstream.bytesRead > 0) return void this.#refuse(socket, 'unknown_protocol', destination)
      return this.#options.http(socket, first.bytes, destination)
    }
    if (!this.#passes(first, socket, destination)) return drop()
    upstream.write(first.bytes)
    join(socket, upstream)
  }

  #passes(first: Extract<Peeked, { kind: 'tls' | 'other' | 'undecided' }>, socket: Socket, destination: Destination): boolean {
    if (first.kind === 'undecided') return this.#refuse(socket, 'hello_timeout', destination)
    if (first.kind === 'other') return webPorts.includes(destination.port) ? this.#refuse(socket, 'unknown_protocol', destination) : true
    const refusal = checkHello(first.hello, destination, this.#options.encryptedClientHello)
    if (refusal === null) return true
    this.#options.refused(refusal)
    socket.resume()
    socket.end(unrecognizedName, () => socket.destroy())
    return false
  }

  #refuse(socket: Socket, reason: Reason, { host, port }: Destination): false {
    this.#options.refused({ reason, object: formatAuthority(host, port), remedy: null })
    socket.resetAndDestroy()
    return false
  }

  /** null: refused or unreachable, and the client is gone or reset. */
  async #dial(socket: Socket, destination: Destination): Promise<Socket | null> {
    const resolution = await this.#options.resolver.resolve(destination)
    if (resolution.kind === 'refused') this.#options.refused(resolution.refusal)
    if (resolution.kind === 'found') {
      const upstream = await dial(resolution.addresses, resolution.port, socket).catch(() => null)
      if (upstream !== null && !socket.destroyed) return upstream
      upstream?.destroy()
    }
    if (!socket.destroyed) socket.resetAndDestroy()
    return null
  }
}
