import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientHello, serverNameData } from '../../gateway/hello.ts'
import { startNaiveProxy, startNaiveRelay } from './naive-proxy.ts'
import type { Listening, Recorder } from '../../gateway/wire.ts'
import { speak, startRecorder } from '../../gateway/wire.ts'
import type { Street } from './street.ts'
import { openStreet } from './street.ts'

/** Bytes of every attack hold this word; what the server behind the allowed name must never see is the word. */
const marker = 'evil'
const evilHello = clientHello({ serverName: 'evil.test' })

interface Bypass {
  readonly title: string
  readonly pieces: readonly (string | Buffer)[]
  /** Reason of the event. */
  readonly reason: string
  /** Port of ok.test; default 80. */
  readonly port?: number
}

const pad = (text: string): readonly (readonly [number, Buffer])[] => [[0xaaaa, Buffer.from(text)]]

const transparent: readonly Bypass[] = [
  { title: 'another Host', pieces: ['GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'], reason: 'host_mismatch' },
  {
    title: 'another Host in the second request',
    pieces: ['GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  {
    title: 'another Host in a pipelined request',
    pieces: ['GET / HTTP/1.1\r\nHost: ok.test\r\n\r\nGET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  { title: 'two Host headers', pieces: ['GET / HTTP/1.1\r\nHost: ok.test\r\nHost: evil.test\r\n\r\n'], reason: 'malformed_request' },
  { title: 'no Host and HTTP/1.0', pieces: ['GET /evil HTTP/1.0\r\n\r\n'], reason: 'host_mismatch' },
  { title: 'an empty Host', pieces: ['GET /evil HTTP/1.1\r\nHost:\r\n\r\n'], reason: 'host_mismatch' },
  { title: 'a Host with another port', pieces: ['GET /evil HTTP/1.1\r\nHost: ok.test:8080\r\n\r\n'], reason: 'host_mismatch' },
  { title: 'a Host with userinfo', pieces: ['GET / HTTP/1.1\r\nHost: ok.test@evil.test\r\n\r\n'], reason: 'host_mismatch' },
  { title: 'a Host with NUL', pieces: ['GET / HTTP/1.1\r\nHost: evil.test\0.ok.test\r\n\r\n'], reason: 'malformed_request' },
  { title: 'a Host that only ends alike', pieces: ['GET / HTTP/1.1\r\nHost: evilok.test\r\n\r\n'], reason: 'host_mismatch' },
  { title: 'a folded Host', pieces: ['GET / HTTP/1.1\r\nHost: ok.test\r\n evil.test\r\n\r\n'], reason: 'malformed_request' },
  { title: 'a space before the colon', pieces: ['GET / HTTP/1.1\r\nHost : evil.test\r\n\r\n'], reason: 'malformed_request' },
  { title: 'absolute form for another host', pieces: ['GET http://evil.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n'], reason: 'host_mismatch' },
  {
    title: 'absolute form with userinfo',
    pieces: ['GET http://ok.test@evil.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n'],
    reason: 'malformed_request',
  },
  {
    title: 'CONNECT through the server',
    pieces: ['CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n'],
    reason: 'unsupported_request',
  },
  {
    title: 'length and chunked together',
    pieces: [
      'POST / HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    ],
    reason: 'malformed_request',
  },
  {
    title: 'two lengths',
    pieces: [
      'POST / HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 0\r\nContent-Length: 43\r\n\r\nGET / HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    ],
    reason: 'malformed_request',
  },
  {
    title: 'a coding that is not chunked',
    pieces: ['POST / HTTP/1.1\r\nHost: ok.test\r\nTransfer-Encoding: xchunked\r\n\r\nGET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'malformed_request',
  },
  {
    title: 'header lines that end in LF alone',
    pieces: ['GET / HTTP/1.1\nHost: ok.test\nX: y\n\nGET / HTTP/1.1\nHost: evil.test\n\n'],
    reason: 'malformed_request',
  },
  { title: 'HTTP/2 without asking', pieces: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nevil'], reason: 'malformed_request' },
  {
    title: 'h2c with a body behind it',
    pieces: ['POST / HTTP/1.1\r\nHost: ok.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nevil'],
    reason: 'unsupported_request',
  },
  { title: 'TLS for another host on port 80', pieces: [evilHello], reason: 'sni_mismatch' },
  { title: 'another server name', port: 443, pieces: [evilHello], reason: 'sni_mismatch' },
  {
    title: 'another server name over several records',
    port: 443,
    pieces: [clientHello({ serverName: 'evil.test', recordBytes: 30 })],
    reason: 'sni_mismatch',
  },
  {
    title: 'another server name in two segments',
    port: 443,
    pieces: [evilHello.subarray(0, 20), evilHello.subarray(20)],
    reason: 'sni_mismatch',
  },
  { title: 'no server name', port: 443, pieces: [clientHello({ serverName: null, extensions: pad(marker) })], reason: 'sni_missing' },
  { title: 'a server name with NUL', port: 443, pieces: [clientHello({ serverName: 'evil.test\0.ok.test' })], reason: 'malformed_host' },
  {
    title: 'two server names',
    port: 443,
    pieces: [clientHello({ serverName: 'ok.test', extensions: [[0, serverNameData('evil.test')]] })],
    reason: 'malformed_hello',
  },
  {
    title: 'an address as server name',
    port: 443,
    pieces: [clientHello({ serverName: '169.254.169.254', extensions: pad(marker) })],
    reason: 'sni_mismatch',
  },
  {
    title: 'an encrypted hello behind the right name',
    port: 443,
    pieces: [clientHello({ serverName: 'ok.test', extensions: [[0xfe0d, Buffer.from(marker)]] })],
    reason: 'ech_refused',
  },
  {
    title: 'a hello in records of one byte',
    port: 443,
    pieces: [Buffer.concat([clientHello({ serverName: 'evil.test', recordBytes: 1 }), Buffer.from(marker)])],
    reason: 'malformed_hello',
  },
  { title: 'ssh on a web port', port: 443, pieces: ['SSH-2.0-evil\r\n'], reason: 'unknown_protocol' },
  {
    title: 'a request for another host on port 443',
    port: 443,
    pieces: ['GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  { title: 'bytes without end before anything is said', port: 443, pieces: [`evil${'x'.repeat(40_000)}`], reason: 'hello_timeout' },
  {
    title: 'a hello that stops in the middle',
    port: 443,
    pieces: [Buffer.concat([clientHello({ serverName: null, extensions: pad('evil'.repeat(100)) }).subarray(0, 400)])],
    reason: 'hello_timeout',
  },
  {
    title: 'another Host on a port of its own',
    port: 8080,
    pieces: ['GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  {
    title: 'blank lines before it',
    port: 8080,
    pieces: ['\r\n \r\nGET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'malformed_request',
  },
  { title: 'silence first, then another server name', port: 8080, pieces: ['', evilHello], reason: 'sni_mismatch' },
  {
    title: 'silence first, then another Host',
    port: 8080,
    pieces: ['', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  {
    title: 'a pause in the middle of the request line',
    port: 8080,
    pieces: ['GET / HT', 'TP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
]

const established = (target: string, host = target): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
const get = (url: string, host: string): string => `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nX: evil\r\n\r\n`

const proxied: readonly Bypass[] = [
  { title: 'CONNECT to a host that is not allowed', pieces: [established('evil.test:443'), evilHello], reason: 'host_not_allowed' },
  { title: 'CONNECT to one that ends alike', pieces: [established('evilok.test:443'), evilHello], reason: 'host_not_allowed' },
  { title: 'CONNECT to one that begins alike', pieces: [established('ok.test.evil.test:443'), evilHello], reason: 'host_not_allowed' },
  { title: 'CONNECT to it in capitals with a dot', pieces: [established('EVIL.TEST.:443'), evilHello], reason: 'host_not_allowed' },
  { title: 'CONNECT allowed, server name not', pieces: [established('ok.test:443'), evilHello], reason: 'sni_mismatch' },
  {
    title: 'CONNECT allowed, Host inside not',
    pieces: [established('ok.test:80'), 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n'],
    reason: 'host_mismatch',
  },
  { title: 'CONNECT inside CONNECT', pieces: [established('ok.test:80'), established('evil.test:443')], reason: 'unsupported_request' },
  { title: 'CONNECT allowed, other protocol inside', pieces: [established('ok.test:443'), 'SSH-2.0-evil\r\n'], reason: 'unknown_protocol' },
  { title: 'CONNECT with another Host header', pieces: [established('ok.test:443', 'evil.test:443'), evilHello], reason: 'host_mismatch' },
  { title: 'CONNECT with %00', pieces: [established('evil.test%00.ok.test:443'), evilHello], reason: 'malformed_host' },
  { title: 'CONNECT with NUL', pieces: [established('evil.test\0.ok.test:443'), evilHello], reason: 'malformed_request' },
  { title: 'CONNECT with userinfo', pieces: [established('ok.test@evil.test:443'), evilHello], reason: 'malformed_host' },
  {
    title: 'CONNECT with a body',
    pieces: ['CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\nContent-Length: 4\r\n\r\nevil'],
    reason: 'malformed_request',
  },
  { title: 'CONNECT to an unexpected port', pieces: [established('ok.test:25'), 'EHLO evil\r\n'], reason: 'port_not_allowed' },
  { title: 'CONNECT to port 0', pieces: [established('ok.test:0'), evilHello], reason: 'malformed_host' },
  ...['127.0.0.1', '127.0.0.2', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]', '169.254.169.254', '[fd00:ec2::254]', '10.0.0.1'].map(
    (address) => ({
      title: `CONNECT to ${address}`,
      pieces: [established(`${address}:443`), evilHello],
      reason: 'address_not_allowed',
    }),
  ),
  ...['127.1', '0x7f.1', '2130706433', '017700000001', '0', '0177.0.0.1', '[fe80::1%lo]', '[::ffff:127.1]'].map((address) => ({
    title: `CONNECT to ${address}`,
    pieces: [established(`${address}:443`), evilHello],
    reason: 'malformed_host',
  })),
  { title: 'CONNECT to localhost', pieces: [established('localhost:443'), evilHello], reason: 'host_not_allowed' },
  { title: 'CONNECT to a name below localhost', pieces: [established('evil.localhost:443'), evilHello], reason: 'host_not_allowed' },
  {
    title: 'a name that leads to the loopback',
    pieces: [established('rebind.test:443'), clientHello({ serverName: 'rebind.test', extensions: pad(marker) })],
    reason: 'private_address',
  },
  { title: 'a name that leads to metadata', pieces: [get('http://metadata.test/', 'metadata.test')], reason: 'private_address' },
  { title: 'plain HTTP to a host that is not allowed', pieces: [get('http://evil.test/', 'evil.test')], reason: 'host_not_allowed' },
  {
    title: 'the second request on the connection',
    pieces: [get('http://ok.test/', 'ok.test').replace('evil', 'good'), get('http://evil.test/', 'evil.test')],
    reason: 'host_not_allowed',
  },
  { title: 'absolute form and Host disagree', pieces: [get('http://ok.test/', 'evil.test')], reason: 'host_mismatch' },
  { title: 'Host and absolute form disagree', pieces: [get('http://evil.test/', 'ok.test')], reason: 'host_mismatch' },
  { title: 'absolute form with userinfo', pieces: [get('http://ok.test@evil.test/', 'ok.test')], reason: 'malformed_request' },
  { title: 'absolute form with a backslash', pieces: [get('http://evil.test\\@ok.test/', 'ok.test')], reason: 'malformed_request' },
  { title: 'another scheme', pieces: [get('ftp://ok.test/evil', 'ok.test')], reason: 'malformed_request' },
  { title: 'a request to the proxy itself', pieces: [get('/admin/mode', '127.0.0.1:3128')], reason: 'unsupported_request' },
  {
    title: 'a tunnel pipelined behind a request',
    pieces: [`${get('http://evil.test/', 'evil.test')}${established('evil.test:443')}`, evilHello],
    reason: 'host_not_allowed',
  },
]

let upstream: Recorder
let relay: Listening
let proxy: Listening

beforeAll(async () => {
  upstream = await startRecorder()
  relay = await startNaiveRelay(upstream.port)
  proxy = await startNaiveProxy(upstream.port)
})

afterAll(async () => {
  for (const server of [relay, proxy, upstream]) await server[Symbol.asyncDispose]()
})

function street(behind: number): Street {
  return openStreet({
    allow: [
      { host: 'ok.test', port: null },
      { host: 'ok.test', port: 8080 },
      { host: 'rebind.test', port: null },
      { host: 'metadata.test', port: null },
    ],
    hosts: { 'ok.test': `127.0.0.1:${behind}` },
    addresses: { 'rebind.test': ['127.0.0.1', '::1'], 'metadata.test': ['169.254.169.254'] },
    helloMs: 300,
  })
}

async function attack({ pieces, reason }: Bypass, open: (street: Street) => Promise<number>): Promise<void> {
  await using behind = await startRecorder()
  await using here = street(behind.port)
  const heard = await speak(await open(here), pieces)
  expect(behind.seen()).not.toContain(marker)
  expect(here.denials.map((denial) => denial.reason)).toContain(reason)
  expect(here.lookups.filter((name) => name !== 'rebind.test' && name !== 'metadata.test')).toEqual([])
  if (heard.includes('HTTP/1.1 4')) expect(heard).toContain('Bulkhead-Refusal: ')
}

describe('to the address of an allowed name', () => {
  test.each(transparent.map((bypass) => [bypass.title, bypass] as const))('%s', async (_, bypass) => {
    await attack(bypass, (here) => here.named('ok.test', bypass.port ?? 80))
  })

  test.each(transparent.map((bypass) => [bypass.title, bypass] as const))('control: %s', async (_, { pieces }) => {
    const before = upstream.seen().length
    await speak(relay.port, pieces, { waitMs: 60 })
    expect(upstream.seen().slice(before)).toContain(marker)
  })
})

describe('through the proxy port', () => {
  test.each(proxied.map((bypass) => [bypass.title, bypass] as const))('%s', async (_, bypass) => {
    await attack(bypass, (here) => here.door('127.0.0.1', 3128))
  })

  test.each(
    proxied
      .filter(({ pieces }) => pieces.length > 1 || String(pieces[0]).startsWith('GET'))
      .map((bypass) => [bypass.title, bypass] as const),
  )('control: %s', async (_, { pieces }) => {
    const before = upstream.seen().length
    await speak(proxy.port, pieces, { waitMs: 60 })
    expect(upstream.seen().slice(before)).toContain(marker)
  })
})

describe('to other addresses', () => {
  test.each([
    ['169.254.169.254', 80, 'address_not_allowed'],
    ['::ffff:169.254.169.254', 443, 'address_not_allowed'],
    ['127.0.0.1', 80, 'own_loopback'],
    ['127.0.0.53', 443, 'own_loopback'],
    ['::1', 443, 'own_loopback'],
    ['::ffff:127.0.0.1', 8080, 'own_loopback'],
    ['10.0.0.1', 443, 'address_not_allowed'],
    ['198.18.7.7', 443, 'address_not_allowed'],
    ['2001:db8::1', 443, 'address_not_allowed'],
    ['8.8.8.8', 853, 'address_not_allowed'],
  ])('%s:%i', async (address, port, reason) => {
    await using here = street(upstream.port)
    const before = upstream.seen().length
    await speak(await here.door(address, port), ['GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n'], { waitMs: 300 })
    expect(here.denials.map((denial) => denial.reason)).toEqual([reason])
    expect(upstream.seen().length).toBe(before)
    expect(here.lookups).toEqual([])
  })
})
