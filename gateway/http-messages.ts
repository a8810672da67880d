import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import type { Destination } from './decide.ts'
import { formatAuthority } from './host.ts'
import type { RequestHead } from './http-decision.ts'
import { endToEnd, framing } from './http-headers.ts'
import type { Refusal } from './reasons.ts'

/** Methods whose requests usually have no body, so that none is announced where there is none. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

export function headOf(request: IncomingMessage): RequestHead {
  return { method: request.method ?? '', target: request.url ?? '', headers: request.rawHeaders }
}

/** Each request goes to its server on a connection of its own. */
export const lastRequest: readonly string[] = ['Connection', 'close']

/** The host that was decided on, framing stated once, and nothing that concerns the client's hop. */
export function requestHeaders(request: IncomingMessage, { host, port }: Destination): string[] {
  const authority = port === 80 ? formatAuthority(host, port).slice(0, -3) : formatAuthority(host, port)
  const headers = ['Host', authority, ...endToEnd(request.rawHeaders, ['host', 'expect'])]
  const framed = framing(request.rawHeaders)
  if (framed === 'chunked') headers.push('Transfer-Encoding', 'chunked')
  if (framed === 'none' && !bodyless.has(request.method ?? '')) headers.push('Content-Length', '0')
  return headers
}

export function relay(answer: IncomingMessage, response: ServerResponse): void {
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

export function switching(answer: IncomingMessage): string {
  const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket', ...endToEnd(answer.rawHeaders)]
  const lines = Array.from({ length: headers.length >> 1 }, (_, index) => `${headers[2 * index]}: ${headers[2 * index + 1]}\r\n`)
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}

/** What a client sends must never end the process: whatever was not foreseen ends the connection. */
export function guard(socket: Socket, work: Promise<void>): void {
  work.catch(() => socket.destroy())
}

/** A response on a socket that node:http has let go of (CONNECT, Upgrade); the connection ends with it. */
export function attach(response: ServerResponse, socket: Socket): ServerResponse {
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.resume()
    socket.end(() => socket.destroySoon())
  })
  return response
}

export function say(response: ServerResponse, status: number, line: string): void {
  if (response.headersSent || response.destroyed) return
  const body = `${line}\n`
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body), Connection: 'close' })
  response.end(body)
}

export function unsupported({ host, port }: Destination): Refusal {
  return { reason: 'unsupported_request', object: formatAuthority(host, port), remedy: null }
}

export function explainUnreachable({ host, port }: Destination): string {
  return `${formatAuthority(host, port)} is allowed but cannot be reached from this machine`
}
