import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Denial, NetworkRule } from '../../../core/contracts/index.ts'
import { Gateway } from '../../../plugins/net-gateway/gateway.ts'
import { compileRule } from '../../../gateway/rules.ts'

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

/** A gateway whose front door is an ordinary listener: what is connected to it arrives as if the job had connected to `address`:`port`. */
export interface Street extends AsyncDisposable {
  readonly gateway: Gateway
  readonly denials: Denial[]
  /** Names that were looked up on the host. */
  readonly lookups: string[]
  /** Port on 127.0.0.1 that leads to the gateway as `name`:`port`. */
  door(address: string, port: number): Promise<number>
  named(name: string, port: number): Promise<number>
}

export interface StreetOptions {
  readonly allow: readonly NetworkRule[]
  readonly hosts: Readonly<Record<string, string>>
  /** What other allowed names resolve to. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  readonly maxConnections?: number
  readonly helloMs?: number
}

export function openStreet({ allow, hosts, addresses = {}, maxConnections = 100, helloMs = 3000 }: StreetOptions): Street {
  const denials: Denial[] = []
  const lookups: string[] = []
  const doors: Listening[] = []
  const gateway = new Gateway({
    plugin: 'net-gateway',
    rules: allow.map(compileRule).filter((rule) => typeof rule !== 'string'),
    options: { hosts, resolver: null, maxConnections, encryptedClientHello: 'refuse' },
    lookup: (name) => {
      lookups.push(name)
      return Promise.resolve(addresses[name] ?? [])
    },
    proxyPort: 3128,
    report: (denial) => denials.push(denial),
    helloMs,
    silentMs: 60,
  })
  const door = async (address: string, port: number): Promise<number> => {
    const listening = await listen((socket) => gateway.enter(socket, address, port), { paused: true })
    doors.push(listening)
    return listening.port
  }
  return {
    gateway,
    denials,
    lookups,
    door,
    named: (name, port) => door(gateway.table.addressOf(name) ?? '', port),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      for (const listening of doors) await listening[Symbol.asyncDispose]()
    },
  }
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
