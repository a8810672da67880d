import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { createSocket } from 'node:dgram'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What the attacks are after, laid out in the user's profile and in processes of the user's. */
export interface Prey extends AsyncDisposable {
  readonly facts: Readonly<Record<string, string | number>>
  /** Puts back what a control destroyed. */
  restore(): void
}

const canary = 'canary-5f1c'

/** `state` stands in for Bulkhead's state directory. */
export async function layOutPrey(state: string): Promise<Prey> {
  mkdirSync(homedir(), { recursive: true })
  const directory = mkdtempSync(join(homedir(), 'prey-'))
  const outside = join(directory, 'outside')
  const profile = join(directory, 'profile')
  mkdirSync(profile)
  const idle = (): ChildProcess => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], { stdio: 'ignore' })
  const children = [idle(), idle(), idle(), idle()]
  const servers = await Promise.all([serve('0.0.0.0'), serve('::1')])
  const [udp, udpPort] = await echo(() => canary)
  const [names, dnsPort] = await echo(answerA)
  const proxy = await naiveProxy()
  const files = ['secret', 'target', 'deletable', 'on-close', 'victim', 'victim2', 'movable']
  const restore = (): void => {
    rmSync(outside, { recursive: true, force: true })
    mkdirSync(join(outside, 'empty'), { recursive: true })
    for (const name of files) writeFileSync(join(outside, name), canary)
  }
  restore()
  writeFileSync(join(state, 'journal.db'), canary)
  return {
    restore,
    facts: {
      outside,
      profile,
      state,
      koffi: createRequire(import.meta.url).resolve('koffi'),
      orchestrator: process.pid,
      bystander: children[0]?.pid ?? 0,
      sacrifice: children[1]?.pid ?? 0,
      sacrifice2: children[2]?.pid ?? 0,
      // Where there is no other agent, another program stands in for it.
      sibling: children[3]?.pid ?? 0,
      port: portOf(servers[0]),
      port6: portOf(servers[1]),
      udpPort,
      dnsPort,
      proxy: portOf(proxy),
      credentials: '',
      variableSecret: 'secret-in-environment-8d2e',
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill()
      for (const socket of [udp, names]) socket.close()
      for (const server of [...servers, proxy]) {
        server.closeAllConnections()
        server.close()
      }
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function serve(address: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(canary))
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function echo(answer: (question: Buffer) => Buffer | string): Promise<[ReturnType<typeof createSocket>, number]> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => socket.send(answer(message), from.port, from.address))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return [socket, socket.address().port]
}

/** A DNS answer with one A record for whatever was asked (RFC 1035, 4.1). */
function answerA(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5
  const head = Buffer.from(question.subarray(0, end))
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(1, 6)
  head.writeUInt16BE(0, 10)
  return Buffer.concat([head, Buffer.from('c00c00010001000000010004', 'hex'), Buffer.from([192, 0, 2, 7])])
}

/** A proxy that lets everybody go everywhere: what the gateway must not be. */
async function naiveProxy(): Promise<Server> {
  const { connect } = await import('node:net')
  const server = createServer((request, response) => {
    const target = new URL(request.url ?? '')
    const host = target.hostname === 'allowed.example' ? '127.0.0.1' : target.hostname
    if (host === '127.0.0.1' && target.port === '') return response.end(canary)
    const upstream = connect(Number(target.port), host, () => upstream.write('GET / HTTP/1.0\r\n\r\n'))
    upstream
      .on('data', (chunk) => response.write(chunk))
      .on('end', () => response.end())
      .on('error', () => response.destroy())
    return undefined
  })
  server.on('connect', (request, socket) => {
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
