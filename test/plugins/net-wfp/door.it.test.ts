import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Denial } from '../../../core/contracts/index.ts'
import { compileRule } from '../../../gateway/rules.ts'
import { ProxyDoor } from '../../../plugins/net-wfp/door.ts'
import { clientHello } from '../../gateway/hello.ts'
import type { Recorder } from '../../gateway/wire.ts'
import { speak, startRecorder } from '../../gateway/wire.ts'

interface Setting extends AsyncDisposable {
  readonly door: ProxyDoor
  readonly upstream: Recorder
  readonly denials: readonly Denial[]
  /** `Proxy-Authorization` of the job. */
  readonly pass: string
}

async function setting(change: { readonly maxConnections?: number } = {}): Promise<Setting> {
  const denials: Denial[] = []
  const upstream = await startRecorder()
  const rules = ['ok.test', 'ok.test:2222'].map((text) => {
    const [host = '', port] = text.split(':')
    const rule = compileRule({ host, port: port === undefined ? null : Number(port) })
    if (typeof rule === 'string') throw new Error(rule)
    return rule
  })
  const door = new ProxyDoor({
    plugin: 'net-wfp',
    rules,
    options: {
      hosts: { 'ok.test': `127.0.0.1:${upstream.port}` },
      resolver: null,
      maxConnections: change.maxConnections ?? 100,
      encryptedClientHello: 'refuse',
    },
    report: (denial) => denials.push(denial),
    silentMs: 60,
  })
  await door.open()
  const { username, password } = new URL(door.url)
  const pass = `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}\r\n`
  return {
    door,
    upstream,
    denials,
    pass,
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

const wrong = `Proxy-Authorization: Basic ${Buffer.from('bulkhead:guess').toString('base64')}\r\n`
const get = (auth: string): string => `GET http://ok.test/path HTTP/1.1\r\nHost: ok.test\r\n${auth}\r\n`
const tunnel = (auth: string, target = 'ok.test:2222'): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${auth}\r\n`
const upgrade = (auth: string): string =>
  `GET http://ok.test/ws HTTP/1.1\r\nHost: ok.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${auth}\r\n`

test('it listens on the IPv4 loopback alone', async () => {
  await using one = await setting()
  const elsewhere = connect({ host: '127.0.0.2', port: one.door.port })
  const [error] = (await once(elsewhere, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

describe('the job', () => {
  test('gets its requests through, without what it showed for it', async () => {
    await using one = await setting()
    expect(await speak(one.door.port, [get(one.pass)])).toMatch(/^HTTP\/1\.1 200 /)
    expect(one.upstream.seen()).toMatch(/^GET \/path HTTP\/1\.1\r\nHost: ok\.test\r\n/)
    expect(one.upstream.seen().toLowerCase()).not.toContain('proxy-authorization')
    expect(one.denials).toEqual([])
  })

  test('gets tunnels', async () => {
    await using one = await setting()
    expect(await speak(one.door.port, [tunnel(one.pass), 'SSH-2.0-x\r\n'])).toMatch(/^HTTP\/1\.1 200 Connection established/)
    expect(one.upstream.seen()).toBe('SSH-2.0-x\r\n')
  })

  test('is refused in words what no rule allows, with the line that would', async () => {
    await using one = await setting()
    const heard = await speak(one.door.port, [tunnel(one.pass, 'evil.test:443')])
    expect(heard).toMatch(/^HTTP\/1\.1 403 /)
    expect(heard).toContain('Allowed by: network.allow: [evil.test]')
    expect(one.denials).toMatchObject([
      { plugin: 'net-wfp', reason: 'host_not_allowed', object: 'evil.test:443', remedy: 'network.allow: [evil.test]' },
    ])
  })

  test('must mean the host that it asked the tunnel for', async () => {
    await using one = await setting()
    await speak(one.door.port, [tunnel(one.pass, 'ok.test:443'), clientHello({ serverName: 'evil.test' })])
    expect(one.upstream.seen()).toBe('')
    expect(one.denials).toMatchObject([{ reason: 'sni_mismatch', object: 'evil.test:443' }])
  })

  test('may find out first that it is asked who it is, as curl and git do', async () => {
    await using one = await setting()
    const heard = await speak(one.door.port, [tunnel('')])
    expect(heard).toMatch(/^HTTP\/1\.1 407 /)
    expect(heard).toContain('Proxy-Authenticate: Basic realm="bulkhead"')
    expect(one.denials).toEqual([])
  })

  test('has one connection more refused than it may have, with an event', async () => {
    await using one = await setting({ maxConnections: 1 })
    const first = connect({ host: '127.0.0.1', port: one.door.port })
    await once(first, 'connect')
    expect(await speak(one.door.port, [get(one.pass)])).toBe('')
    expect(one.denials).toMatchObject([{ reason: 'too_many_connections', object: `127.0.0.1:${one.door.port}` }])
    first.destroy()
  })
})

describe('anybody else on this machine', () => {
  test.each([
    ['a request', get],
    ['a tunnel', tunnel],
    ['an upgrade', upgrade],
  ])('gets %s refused, and nothing of it leaves', async (_, ask) => {
    await using one = await setting()
    expect(await speak(one.door.port, [ask('')])).toMatch(/^HTTP\/1\.1 407 /)
    expect(await speak(one.door.port, [ask(wrong)])).toMatch(/^HTTP\/1\.1 407 /)
    expect(one.upstream.seen()).toBe('')
    expect(one.denials).toMatchObject([{ reason: 'proxy_credentials', object: 'HTTP proxy', remedy: null }])
  })

  test('learns nothing about the rules', async () => {
    await using one = await setting()
    const [allowed, refused] = await Promise.all([speak(one.door.port, [tunnel('')]), speak(one.door.port, [tunnel('', 'evil.test:443')])])
    expect(allowed).toBe(refused)
  })

  test('cannot follow on a connection of its own what the job was granted', async () => {
    await using one = await setting()
    await speak(one.door.port, [get(one.pass)])
    expect(await speak(one.door.port, [get('')])).toMatch(/^HTTP\/1\.1 407 /)
  })

  test('is asked for every request of one connection', async () => {
    await using one = await setting()
    expect(await speak(one.door.port, [get(one.pass), get('')])).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 407 /)
  })

  test('cannot make the job look guilty of nonsense', async () => {
    await using one = await setting()
    expect(await speak(one.door.port, ['\x00\x01nonsense\r\n\r\n'])).toMatch(/^HTTP\/1\.1 400 /)
    expect(one.denials).toEqual([])
    await speak(one.door.port, [get(one.pass), '\x00\x01nonsense\r\n\r\n'])
    expect(one.denials).toMatchObject([{ reason: 'malformed_request' }])
  })
})

test('a client of Node that is given the URL gets through', async () => {
  await using one = await setting()
  const { username, password, port } = new URL(one.door.url)
  const asked = request({
    host: '127.0.0.1',
    port,
    path: 'http://ok.test/',
    headers: { Host: 'ok.test', 'Proxy-Authorization': `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
  answer.resume()
  expect(answer.statusCode).toBe(200)
})
