import type { ClientRequest, IncomingMessage, Server } from 'node:http'
import { createServer, request as httpRequest, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Decider, Destination } from './decide.ts'
import { startDialing } from './dial.ts'
import { formatAuthority } from './host.ts'
import type { RequestHead } from './http-decision.ts'
import { decideConnect, decideRequest } from './http-decision.ts'
import { endToEnd, framing } from './http-headers.ts'
import { join } from './join.ts'
import type { Refusal } from './reasons.ts'
import { explain } from './reasons.ts'
import type { HostResolver } from './resolve.ts'

/** What a connection that speaks HTTP is for. */
export type HttpPurpose =
  /** The proxy port: every request says whom it is for. */
  | { readonly kind: 'proxy' }
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
  deadline: NodeJS.Timeout | null
}

const maximumHeaderBytes = 32_768
/** Requests in work at once on one connection. Each has a connection of its own to the server, so this bounds those too. */
const mostPipelined = 4
/** Methods whose requests usually have no body, so that none is announced where there is none. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

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
    const connection: Connection = { purpose, active: 0, deadline: null }
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

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, report: boolean): void {
    if (report) this.#options.refused(refusal)
    // What is still being uploaded is read and dropped, so that the client gets to see the answer.
    request.resume()
    response.setHeader('Bulkhead-Refusal', refusal.reason)
    say(response, refusal.reason.startsWith('malformed_') ? 400 : 403, explain(refusal))
  }

  #malformed(error: NodeJS.ErrnoException, socket: Socket): void {
    const purpose = this.#connections.get(socket)?.purpose
    // A client that went away has not asked for anything.
    if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE' && purpose !== undefined) {
      const object = purpose.kind === 'fixed' ? formatAuthority(purpose.destination.host, purpose.destination.port) : 'HTTP'
      if (purpose.kind !== 'refused') this.#options.refused({ reason: 'malformed_request', object, remedy: null })
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

function headOf(request: IncomingMessage): RequestHead {
  return { method: request.method ?? '', target: request.url ?? '', headers: request.rawHeaders }
}

/** Each request goes to its server on a connection of its own. */
const lastRequest: readonly string[] = ['Connection', 'close']

/** The host that was decided on, framing stated once, and nothing that concerns the client's hop. */
function requestHeaders(request: IncomingMessage, { host, port }: Destination): string[] {
  const authority = port === 80 ? formatAuthority(host, port).slice(0, -3) : formatAuthority(host, port)
  const headers = ['Host', authority, ...endToEnd(request.rawHeaders, ['host', 'expect'])]
  const framed = framing(request.rawHeaders)
  if (framed === 'chunked') headers.push('Transfer-Encoding', 'chunked')
  if (framed === 'none' && !bodyless.has(request.method ?? '')) headers.push('Content-Length', '0')
  return headers
}

function relay(answer: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', endToEnd(answer.rawHeaders))
  } catch {
    // A status or header that node:http takes from a server but does not give to a client.
    answer.destroy()
    return void response.destroy()
  }
  pipeline(answer, response, (error) => {
    if (error) response.destroy()
  })
}

function switching(answer: IncomingMessage): string {
  const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket', ...endToEnd(answer.rawHeaders)]
  const lines = Array.from({ length: headers.length >> 1 }, (_, index) => `${headers[2 * index]}: ${headers[2 * index + 1]}\r\n`)
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}

/** What a client sends must never end the process: whatever was not foreseen ends the connection. */
function guard(socket: Socket, work: Promise<void>): void {
  work.catch(() => socket.destroy())
}

/** A response on a socket that node:http has let go of (CONNECT, Upgrade); the connection ends with it. */
function attach(response: ServerResponse, socket: Socket): ServerResponse {
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.resume()
    socket.end(() => socket.destroySoon())
  })
  return response
}

function say(response: ServerResponse, status: number, line: string): void {
  if (response.headersSent || response.destroyed) return
  const body = `${line}\n`
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body), Connection: 'close' })
  response.end(body)
}

function unsupported({ host, port }: Destination): Refusal {
  return { reason: 'unsupported_request', object: formatAuthority(host, port), remedy: null }
}

function explainUnreachable({ host, port }: Destination): string {
  return `${formatAuthority(host, port)} is allowed but cannot be reached from this machine`
}
