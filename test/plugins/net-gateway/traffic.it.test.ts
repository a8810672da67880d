import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import type { Server } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { Street } from './street.ts'
import { listen, portOf, speak, startRecorder, timeout } from '../../gateway/wire.ts'
import { openStreet } from './street.ts'

/** TLS with a shared key, so that no certificate has to be made. */
const psk = Buffer.alloc(32, 1)
const withoutCertificates = { ciphers: 'PSK', pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined }

function street(port: number, extra: Partial<Parameters<typeof openStreet>[0]> = {}): Street {
  return openStreet({
    allow: [
      { host: 'ok.test', port: null },
      { host: 'ok.test', port: 2222 },
    ],
    hosts: { 'ok.test': `127.0.0.1:${port}` },
    ...extra,
  })
}

interface Echo extends AsyncDisposable {
  readonly port: number
  readonly requests: string[]
}

/** Answers with what it was asked, and keeps the heads of requests. */
async function startEcho(): Promise<Echo> {
  const requests: string[] = []
  const server = createServer((incoming, response) => {
    requests.push([`${incoming.method} ${incoming.url}`, ...pairs(incoming.rawHeaders)].join('\n'))
    if (incoming.url === '/none') return void response.writeHead(204).end()
    if (incoming.url === '/away') return void response.writeHead(302, { Location: 'http://evil.test/' }).end()
    incoming.pipe(response)
    return undefined
  })
  server.on('upgrade', (incoming, socket) => {
    requests.push(`upgrade ${incoming.headers.upgrade}`)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.pipe(socket)
  })
  const port = await portOf(server)
  return { port, requests, [Symbol.asyncDispose]: () => closed(server) }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
  })
}

function pairs(raw: readonly string[]): string[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => `${raw[2 * index]?.toLowerCase()}: ${raw[2 * index + 1]}`)
}

async function fetchFrom(
  port: number,
  options: { path?: string; method?: string; headers?: Record<string, string>; body?: Buffer },
): Promise<{ status: number; body: Buffer; headers: IncomingMessage['headers'] }> {
  const outgoing = request({
    port,
    host: '127.0.0.1',
    agent: false,
    path: options.path ?? '/',
    method: options.method ?? 'GET',
    headers: { Host: 'ok.test', ...options.headers },
  })
  outgoing.end(options.body)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: await buffer(answer), headers: answer.headers }
}

const two = (target: string): string[] => [
  `GET ${target}1 HTTP/1.1\r\nHost: ok.test\r\n\r\n`,
  `GET ${target}2 HTTP/1.1\r\nHost: ok.test\r\nConnection: close\r\n\r\n`,
]

const upgrade = (to: string): string => `GET /ws HTTP/1.1\r\nHost: ok.test\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`

describe('HTTP', () => {
  test('requests arrive whole, with the host that was decided on and without what concerns one hop', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port)
    const port = await here.named('ok.test', 80)
    const body = randomBytes(3_000_000)
    expect(
      (
        await fetchFrom(port, {
          method: 'POST',
          path: '/a?b',
          headers: { 'Content-Length': String(body.length), 'X-Kept': '1', Host: 'OK.test.' },
          body,
        })
      ).body.equals(body),
    ).toBe(true)
    expect(
      (
        await fetchFrom(port, {
          method: 'PUT',
          headers: { 'Transfer-Encoding': 'chunked', 'Keep-Alive': '9', Expect: '100-continue' },
          body,
        })
      ).body.equals(body),
    ).toBe(true)
    expect((await fetchFrom(port, { path: '/none' })).status).toBe(204)
    expect((await fetchFrom(port, { method: 'POST', headers: { 'Content-Length': '0' } })).status).toBe(200)
    expect((await fetchFrom(port, { method: 'HEAD' })).body.length).toBe(0)
    expect((await fetchFrom(port, { path: '/away' })).headers.location).toBe('http://evil.test/')
    expect(echo.requests).toEqual([
      `POST /a?b\nhost: ok.test\ncontent-length: ${body.length}\nx-kept: 1\nconnection: close`,
      'PUT /\nhost: ok.test\ntransfer-encoding: chunked\nconnection: close',
      'GET /none\nhost: ok.test\nconnection: close',
      'POST /\nhost: ok.test\ncontent-length: 0\nconnection: close',
      'HEAD /\nhost: ok.test\nconnection: close',
      'GET /away\nhost: ok.test\nconnection: close',
    ])
    expect(here.denials).toEqual([])
  })

  test('a connection is kept for further requests, also on the proxy port', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port)
    expect((await speak(await here.named('ok.test', 80), two('/'))).match(/200 OK/g)).toHaveLength(2)
    expect((await speak(await here.door('127.0.0.1', 3128), two('http://ok.test/'))).match(/200 OK/g)).toHaveLength(2)
    expect(echo.requests).toHaveLength(4)
  })

  test('WebSocket goes through, h2c is not offered and does no harm', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port)
    const port = await here.named('ok.test', 80)
    const heard = await speak(port, [upgrade('websocket'), 'ping-pong'], { waitMs: 200 })
    expect(heard).toContain('101 Switching Protocols')
    expect(heard.endsWith('ping-pong')).toBe(true)
    expect(await speak(port, [upgrade('h2c')])).toContain('HTTP/1.1 200 OK')
    expect(echo.requests).toEqual(['upgrade websocket', 'GET /ws\nhost: ok.test\nconnection: close'])
  })

  test('a server that is not there is said to be so, and is no denial', async () => {
    const gone = await startRecorder()
    await gone[Symbol.asyncDispose]()
    await using here = street(gone.port, { allow: [{ host: '*.test', port: null }] })
    const answer = await fetchFrom(await here.named('ok.test', 80), {})
    expect([answer.status, answer.body.toString()]).toEqual([
      502,
      'bulkhead: ok.test:80 is allowed but cannot be reached from this machine\n',
    ])
    const unknown = await speak(await here.door('127.0.0.1', 3128), ['CONNECT unknown.test:443 HTTP/1.1\r\nHost: unknown.test:443\r\n\r\n'])
    expect(unknown).toContain('HTTP/1.1 502')
    expect(here.denials).toEqual([])
  })

  test('a refused request is told why in one line', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port)
    const answer = await fetchFrom(await here.door('192.0.2.1', 80), { method: 'POST', body: Buffer.alloc(100_000) })
    expect([answer.status, answer.headers['bulkhead-refusal'], answer.body.toString()]).toEqual([
      403,
      'address_not_allowed',
      'bulkhead: 192.0.2.1:80: an address that no rule names (address_not_allowed). Allowed by: network.allow: [192.0.2.1]\n',
    ])
    expect(here.denials).toEqual([
      {
        layer: 'network',
        plugin: 'net-gateway',
        reason: 'address_not_allowed',
        object: '192.0.2.1:80',
        action: 'deny',
        program: null,
        remedy: 'network.allow: [192.0.2.1]',
        lost: 0,
      },
    ])
  })
})

describe('TLS', () => {
  test('reaches the server end to end, transparently and by CONNECT', async () => {
    const server = createTlsServer({ ciphers: 'PSK', pskCallback: () => psk }, (socket) => socket.end(`hello from ${socket.servername}`))
    const port = await portOf(server)
    await using here = street(port)
    const direct = tlsConnect({
      port: await here.named('ok.test', 443),
      host: '127.0.0.1',
      servername: 'ok.test',
      ...withoutCertificates,
    })
    expect(await text(direct)).toBe('hello from ok.test')

    const raw = connect({ port: await here.door('127.0.0.1', 3128), host: '127.0.0.1' })
    raw.write('CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\n\r\n')
    expect(String((await once(raw, 'data'))[0])).toBe('HTTP/1.1 200 Connection established\r\n\r\n')
    expect(await text(tlsConnect({ socket: raw, servername: 'ok.test', ...withoutCertificates }))).toBe('hello from ok.test')

    const other = tlsConnect({
      port: await here.named('ok.test', 443),
      host: '127.0.0.1',
      servername: 'evil.test',
      ...withoutCertificates,
    })
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
    expect(here.denials.map(({ reason, object }) => [reason, object])).toEqual([['sni_mismatch', 'evil.test:443']])
    server.close()
  })
})

describe('other protocols on a port that a rule names', () => {
  test('the client speaks first', async () => {
    await using behind = await startRecorder('SSH-2.0-server\r\n')
    await using here = street(behind.port)
    expect(await speak(await here.named('ok.test', 2222), ['SSH-2.0-client\r\n'], { waitMs: 100 })).toBe('SSH-2.0-server\r\n')
    expect(behind.seen()).toBe('SSH-2.0-client\r\n')
  })

  test('the server speaks first', async () => {
    await using behind = await listen((socket) => {
      socket.write('220 ready\r\n')
      socket.on('data', (data) => socket.write(`250 ${data.toString()}`))
    })
    await using here = street(behind.port)
    expect(await speak(await here.named('ok.test', 2222), ['', 'EHLO me\r\n'], { waitMs: 200 })).toBe('220 ready\r\n250 EHLO me\r\n')
  })

  test('a connection opened ahead of need still speaks HTTP later', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port)
    const heard = await speak(await here.named('ok.test', 2222), ['', 'GET / HTTP/1.1\r\nHost: ok.test:2222\r\nConnection: close\r\n\r\n'])
    expect(heard).toContain('200 OK')
    expect(echo.requests).toEqual(['GET /\nhost: ok.test:2222\nconnection: close'])
  })
})

describe('streams', () => {
  test('end one direction at a time and lose nothing', async () => {
    await using behind = await listen((socket) => {
      const hash = createHash('sha256')
      socket.on('data', (data) => hash.update(data))
      socket.once('end', () => socket.end(hash.digest('hex')))
    })
    await using here = street(behind.port)
    const data = Buffer.concat([Buffer.from([0]), randomBytes(20_000_000)])
    const socket = connect({ port: await here.named('ok.test', 2222), host: '127.0.0.1' })
    socket.end(data)
    expect(await text(socket)).toBe(createHash('sha256').update(data).digest('hex'))
  })

  test('a reader that stops stops the writer: memory stays bounded', async () => {
    let written = 0
    await using behind = await listen((socket) => {
      const chunk = Buffer.alloc(65_536)
      const more = (): void => {
        while (!socket.destroyed) {
          written += chunk.length
          if (!socket.write(chunk)) break
        }
      }
      socket.on('drain', more)
      more()
    })
    await using here = street(behind.port)
    const socket = connect({ port: await here.named('ok.test', 2222), host: '127.0.0.1' })
    socket.write(Buffer.from([0]))
    socket.pause()
    await timeout(300)
    const stopped = written
    await timeout(100)
    // Socket buffers of the kernel on both connections, and one chunk here and there.
    expect(written).toBe(stopped)
    expect(written).toBeLessThan(40_000_000)
    socket.destroy()
  })

  test('a reset reaches the other side', async () => {
    await using behind = await listen((socket) => void socket.once('data', () => socket.resetAndDestroy()))
    await using here = street(behind.port)
    const socket = connect({ port: await here.named('ok.test', 2222), host: '127.0.0.1' })
    socket.write(Buffer.from([0]))
    expect(((await once(socket, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET')
  })

  test('are closed with the gateway, and so is the way to the server', async () => {
    let ended = 0
    await using behind = await listen((socket) => void socket.once('close', () => ended++))
    const here = street(behind.port)
    const socket = connect({ port: await here.named('ok.test', 2222), host: '127.0.0.1' })
    socket.on('error', () => undefined)
    socket.write(Buffer.from([0]))
    await timeout(100)
    await here[Symbol.asyncDispose]()
    await timeout(100)
    expect([socket.destroyed, ended]).toEqual([true, 1])
  })
})

describe('limits', () => {
  test('slow clients are dropped: before the hello, in a request head, between requests', async () => {
    await using echo = await startEcho()
    await using here = street(echo.port, { helloMs: 300 })
    const started = performance.now()
    const drips = Array.from({ length: 30 }, () => 'x')
    const lives = async (port: number, pieces: readonly string[]): Promise<number> => {
      await speak(port, pieces, { pauseMs: 60, waitMs: 3000 })
      return performance.now() - started
    }
    const times = await Promise.all([
      lives(await here.named('ok.test', 443), [String.fromCodePoint(22, 3, 1, 2, 0, 1, 0, 1, 252), ...drips]),
      lives(await here.named('ok.test', 80), ['GET / HTTP/1.1\r\nX: ', ...drips]),
      lives(await here.named('ok.test', 80), ['GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n']),
      lives(await here.door('127.0.0.1', 3128), ['GET http', ...drips]),
      lives(await here.named('ok.test', 443), []),
    ])
    for (const time of times) expect(time).toBeLessThan(1500)
    expect(here.denials.map(({ reason }) => reason)).toEqual(['hello_timeout'])
  })

  test('so many connections and no more', async () => {
    await using behind = await startRecorder()
    await using here = street(behind.port, { maxConnections: 3 })
    const port = await here.named('ok.test', 2222)
    const sockets = Array.from({ length: 5 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => undefined))
    await timeout(200)
    expect(sockets.filter((socket) => socket.destroyed)).toHaveLength(2)
    expect(here.denials.map(({ reason, object }) => [reason, object])).toEqual([['too_many_connections', '198.18.1.0:2222']])
    for (const socket of sockets) socket.destroy()
    await timeout(50)
    expect(await speak(port, ['SSH-2.0-x\r\n'], { waitMs: 100 })).toContain('200 OK')
  })
})

describe('DNS over TCP', () => {
  test('answers, and cuts off nonsense', async () => {
    await using here = street(1)
    const proper = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 111, 107, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1])
    const heard = await speak(await here.door('198.18.0.1', 53), [Buffer.concat([Buffer.of(0, proper.length), proper])], { waitMs: 50 })
    expect(Buffer.from(heard, 'latin1').subarray(-4)).toEqual(Buffer.from([198, 18, 1, 0]))
    expect(await speak(await here.door('8.8.8.8', 53), [Buffer.concat([Buffer.of(255, 255), proper])], { waitMs: 200 })).toBe('')
  })
})
