import type { ClientRequest, IncomingMessage, Server } from 'node:http'
import { createServer, request as httpRequest, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Decider, Destination } from './decide.ts'
import { startDialing } from './dial.ts'
import { formatAuthority } from './host.ts'
import { decideConnect, decideRequest } from './http-decision.ts'
import { framing } from './http-headers.ts'
import {
  attach,
  explainUnreachable,
  guard,
  headOf,
  lastRequest,
  relay,
  requestHeaders,
  say,
  switching,
  unsupported,
} from './http-messages.ts'
import { join } from './join.ts'
import type { Refusal } from './reasons.ts'
import { explain } from './reasons.ts'
import type { ProxyCredentials } from './proxy-credentials.ts'
import { admission } from './proxy-credentials.ts'
import type { HostResolver } from './resolve.ts'

/** What a connection that speaks HTTP is for. */
export type HttpPurpose =
  /** The proxy port: every request says whom it is for, and with `credentials` also that its sender may use the proxy. */
  | { readonly kind: 'proxy'; readonly credentials: ProxyCredentials | null }
  | { readonly kind: 'fixed'; readonly destination: Destination }
  /** Refused already; a request is told so in words. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface HttpDoorOptions {
  readonly decider: Decider
  readonly resolver: HostResolver
  /** Milliseconds for the head of each request, counted from the connection or the previous response. */
  readonly headMs: number
  refused(refusal: Refusal): void
  /** Takes over an accepted CONNECT; the client was told 200 already. */
  tunnel(socket: Socket, head: Buffer, destination: Destination): void
}

interface Connection {
  readonly purpose: HttpPurpose
  /** Requests without a complete response. */
  active: number
  /** A request on it was admitted: what else comes is from the same client. */
  admitted: boolean
  deadline: NodeJS.Timeout | null
}

const maximumHeaderBytes = 32_768
/** Requests in work at once on one connection. Each has a connection of its own to the server, so this bounds those too. */
const mostPipelined = 4

const notTheJob: Refusal = { reason: 'proxy_credentials', object: 'HTTP proxy', remedy: null }

/**
 * Parses HTTP strictly (llhttp without its lenient switches), decides about every single request, and writes a new request with the host
 * that was decided on: what two readers could understand differently does not get through. Follows no redirect.
 */
export class HttpDoor {
  readonly #options: HttpDoorOptions
  readonly #server: Server
  readonly #connections = new WeakMap<object, Connection>()

  constructor(options: HttpDoorOptions) {
    this.#options = options
    // A missing Host header is our decision; timeouts are kept per connection below, because this server never listens itself.
    this.#server = createServer({
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: maximumHeaderBytes,
      keepAliveTimeout: 0,
    })
    this.#server.on('request', (request, response) => guard(request.socket, this.#request(request, response)))
    this.#server.on('connect', (request, socket, head) => guard(socket as Socket, this.#connect(request, socket as Socket, head)))
    this.#server.on('upgrade', (request, socket, head) => guard(socket as Socket, this.#upgrade(request, socket as Socket, head)))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#malformed(error, socket as Socket))
  }

  /** `socket` is paused; `bytes` were read from it. */
  accept(socket: Socket, bytes: Buffer, purpose: HttpPurpose): void {
    const connection: Connection = { purpose, active: 0, admitted: false, deadline: null }
    this.#connections.set(socket, connection)
    socket.once('close', () => this.#disarm(connection))
    this.#arm(socket, connection)
    this.#server.emit('connection', socket)
    if (bytes.length > 0) socket.unshift(bytes)
    socket.resume()
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#begin(request.socket)
    if (connection === undefined || connection.active > mostPipelined) return void request.destroy()
    response.once('close', () => this.#end(request.socket, connection))
    if (!this.#admits(request, connection)) return this.#ask(request, response)
    const decision = this.#decide(request, connection.purpose)
    if (!decision.allowed) return this.#refuse(request, response, decision.refusal, connection.purpose.kind !== 'refused')
    const upstream = await this.#forward(request, response, decision.destination, decision.path, lastRequest)
    if (upstream === null) return
    upstream.on('response', (answer) => relay(answer, response))
    pipeline(request, upstream, () => undefined)
  }

  async #connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.pause()
    socket.on('error', () => undefined)
    const connection = this.#begin(socket)
    // A tunnel cannot begin while the response to an earlier request is still to come.
    if (connection === undefined || connection.active > 1) return void socket.destroy()
    const { purpose } = connection
    const response = new ServerResponse(request)
    if (purpose.kind !== 'proxy') {
      const refusal = purpose.kind === 'refused' ? purpose.refusal : unsupported(purpose.destination)
      return this.#refuse(request, attach(response, socket), refusal, purpose.kind === 'fixed')
    }
    if (!this.#admits(request, connection)) return this.#ask(request, attach(response, socket))
    const decision = decideConnect(headOf(request), this.#options.decider)
    if (!decision.allowed) return this.#refuse(request, attach(response, socket), decision.refusal, true)
    const resolution = await this.#options.resolver.resolve(decision.destination)
    if (resolution.kind === 'refused') return this.#refuse(request, attach(response, socket), resolution.refusal, true)
    if (resolution.kind === 'unknown') return say(attach(response, socket), 502, `bulkhead: ${explainUnreachable(decision.destination)}`)
    if (socket.destroyed) return
    this.#disarm(connection)
    socket.removeAllListeners('error')
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    this.#options.tunnel(socket, head, decision.destination)
  }

  /** WebSocket goes through. Other upgrades are not offered: h2c would put requests on the connection that nobody reads. */
  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.pause()
    socket.on('error', () => undefined)
    const connection = this.#begin(socket)
    if (connection === undefined || connection.active > 1) return void socket.destroy()
    const response = attach(new ServerResponse(request), socket)
    if (!this.#admits(request, connection)) return this.#ask(request, response)
    const decision = this.#decide(request, connection.purpose)
    if (!decision.allowed) return this.#refuse(request, response, decision.refusal, connection.purpose.kind !== 'refused')
    if (framing(request.rawHeaders) !== 'none') return this.#refuse(request, response, unsupported(decision.destination), true)
    const websocket = request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket'
    const upgrading = websocket ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : lastRequest
    const upstream = await this.#forward(request, response, decision.destination, decision.path, upgrading)
    if (upstream === null) return
    upstream.on('response', (answer) => relay(answer, response))
    if (websocket) {
      upstream.on('upgrade', (answer: IncomingMessage, raw: Socket, rest: Buffer) => {
        this.#disarm(connection)
        response.detachSocket(socket)
        socket.write(switching(answer))
        if (rest.length > 0) socket.write(rest)
        if (head.length > 0) raw.write(head)
        join(socket, raw)
      })
    }
    upstream.end()
  }

  /** The request to the upstream, without its body; null when it was refused or the name is unknown. */
  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    destination: Destination,
    path: string,
    hop: readonly string[],
  ): Promise<ClientRequest | null> {
    const resolution = await this.#options.resolver.resolve(destination)
    if (resolution.kind === 'refused') {
      this.#refuse(request, response, resolution.refusal, true)
      return null
    }
    if (resolution.kind === 'unknown') {
      say(response, 502, `bulkhead: ${explainUnreachable(destination)}`)
      return null
    }
    const { addresses, port } = resolution
    const upstream = httpRequest({
      method: request.method ?? 'GET',
      path,
      headers: [...requestHeaders(request, destination), ...hop],
      setHost: false,
      maxHeaderSize: maximumHeaderBytes,
      createConnection: () => startDialing(addresses, port),
    })
    upstream.on('error', () => {
      if (response.headersSent) response.destroy()
      else say(response, 502, `bulkhead: ${explainUnreachable(destination)}`)
    })
    response.once('close', () => upstream.destroy())
    return upstream
  }

  #decide(request: IncomingMessage, purpose: HttpPurpose): ReturnType<typeof decideRequest> {
    if (purpose.kind === 'refused') return { allowed: false, refusal: purpose.refusal }
    return decideRequest(headOf(request), purpose.kind === 'fixed' ? purpose.destination : null, this.#options.decider)
  }

  /** Is it the job that asks? Who shows something wrong is reported; who shows nothing may not have known that it is asked for. */
  #admits(request: IncomingMessage, connection: Connection): boolean {
    const { purpose } = connection
    const answer = purpose.kind === 'proxy' ? admission(purpose.credentials, request.rawHeaders) : 'granted'
    if (answer === 'wrong') this.#options.refused(notTheJob)
    connection.admitted ||= answer === 'granted'
    return answer === 'granted'
  }

  #ask(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Proxy-Authenticate', 'Basic realm="bulkhead"')
    this.#refuse(request, response, notTheJob, false)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, report: boolean): void {
    if (report) this.#options.refused(refusal)
    // What is still being uploaded is read and dropped, so that the client gets to see the answer.
    request.resume()
    response.setHeader('Bulkhead-Refusal', refusal.reason)
    const status = refusal.reason === 'proxy_credentials' ? 407 : refusal.reason.startsWith('malformed_') ? 400 : 403
    say(response, status, explain(refusal))
  }

  #malformed(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket)
    const purpose = connection?.purpose
    // A client that went away has not asked for anything.
    if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE' && purpose !== undefined) {
      const object = purpose.kind === 'fixed' ? formatAuthority(purpose.destination.host, purpose.destination.port) : 'HTTP'
      // On a proxy with credentials anybody may talk nonsense: until somebody was admitted it is not the job's.
      const known =
        purpose.kind === 'fixed' || (purpose.kind === 'proxy' && (purpose.credentials === null || connection?.admitted === true))
      if (known) this.#options.refused({ reason: 'malformed_request', object, remedy: null })
      if (socket.writable) {
        socket.end('HTTP/1.1 400 Bad Request\r\nBulkhead-Refusal: malformed_request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      }
    }
    socket.destroySoon()
  }

  #begin(socket: Socket): Connection | undefined {
    const connection = this.#connections.get(socket)
    if (connection === undefined) return undefined
    connection.active++
    this.#disarm(connection)
    return connection
  }

  #end(socket: Socket, connection: Connection): void {
    connection.active--
    if (connection.active === 0 && !socket.destroyed) this.#arm(socket, connection)
  }

  #arm(socket: Socket, connection: Connection): void {
    this.#disarm(connection)
    connection.deadline = setTimeout(() => socket.destroy(), this.#options.headMs)
  }

  #disarm(connection: Connection): void {
    if (connection.deadline !== null) clearTimeout(connection.deadline)
    connection.deadline = null
  }
}
