import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { Passage } from '../../gateway/passage.ts'
import type { PassageSettings } from '../../gateway/passage.ts'
import { ProxyCredentials } from '../../gateway/proxy-credentials.ts'
import type { Refusal } from '../../gateway/reasons.ts'

/**
 * The gateway's door on Windows: an HTTP proxy (CONNECT, and plain HTTP) on a free port of the IPv4 loopback. Everybody on this machine can
 * knock, so it asks who it is.
 */
export class ProxyDoor implements AsyncDisposable {
  readonly #passage: Passage
  readonly #credentials = new ProxyCredentials()
  #port = 0

  constructor(settings: PassageSettings) {
    this.#passage = new Passage(settings)
  }

  /** Rejects with Node's error when it cannot listen. */
  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => this.#enter(socket))
    await this.#passage.listen(server, { host: '127.0.0.1', port: 0 })
    this.#port = (server.address() as AddressInfo).port
  }

  get port(): number {
    return this.#port
  }

  /** With the credentials. Secret. */
  get url(): string {
    return this.#credentials.url(this.#port)
  }

  /** As `Passage.watching`. */
  watching<T>(act: (refusals: readonly Refusal[]) => Promise<T>): Promise<T> {
    return this.#passage.watching(act)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#passage[Symbol.asyncDispose]()
  }

  #enter(socket: Socket): void {
    if (this.#passage.admit(socket)) return this.#passage.http(socket, { kind: 'proxy', credentials: this.#credentials })
    this.#passage.refused({ reason: 'too_many_connections', object: `127.0.0.1:${this.#port}`, remedy: null })
    socket.resetAndDestroy()
  }
}
