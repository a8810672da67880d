import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** A server on the host that keeps every byte it is sent and answers each piece as an HTTP server would. */
export interface Recorder extends AsyncDisposable {
  readonly port: number
  /** Everything received, as Latin-1. */
  seen(): string
}

export async function startRecorder(answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'): Promise<Recorder> {
  let seen = ''
  const listening = await listen((socket) => {
    socket.on('data', (data) => {
      seen += data.toString('latin1')
      socket.write(answer)
    })
    socket.on('end', () => socket.end())
  })
  return { ...listening, seen: () => seen }
}

export interface Listening extends AsyncDisposable {
  readonly port: number
}

export async function listen(serve: (socket: Socket) => void, options: { readonly paused?: boolean } = {}): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: options.paused === true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  return { port: await portOf(server), [Symbol.asyncDispose]: () => close(server, sockets) }
}

export async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => void server.close(resolve))
}

/** Sends `pieces`, each when the previous one was answered or after `pauseMs`; resolves with all that came back by the end of the connection. */
export async function speak(port: number, pieces: readonly (string | Buffer)[], { pauseMs = 120, waitMs = 450 } = {}): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let heard = ''
  let wake: () => void = idle
  socket.on('error', () => undefined)
  socket.on('data', (data) => {
    heard += data.toString('latin1')
    wake()
  })
  const ended = new Promise<void>((resolve) => void socket.once('close', () => (wake(), resolve())))
  for (const piece of pieces) {
    if (socket.destroyed) break
    const before = heard.length
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
    if (heard.length === before) await timeout(pauseMs, (done) => (wake = done))
  }
  await Promise.race([ended, timeout(waitMs)])
  socket.destroy()
  return heard
}

function idle(): void {}

export function timeout(ms: number, early: (done: () => void) => void = idle): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    early(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
