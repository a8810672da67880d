import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decider } from '../../gateway/decide.ts'
import { Denials } from '../../gateway/denials.ts'
import { decideConnect, decideRequest } from '../../gateway/http-decision.ts'
import { parseHost } from '../../gateway/host.ts'
import { endToEnd, framing } from '../../gateway/http-headers.ts'
import type { Denial, NetworkRule } from '../../core/contracts/index.ts'
import { explain } from '../../gateway/reasons.ts'
import { HostResolver } from '../../gateway/resolve.ts'
import { compileRule } from '../../gateway/rules.ts'
import { hostName, spelling } from './spellings.ts'

function decider(...rules: NetworkRule[]): Decider {
  return new Decider(rules.map(compileRule).filter((rule) => typeof rule !== 'string'))
}

function host(text: string): NonNullable<ReturnType<typeof parseHost>> {
  const parsed = parseHost(text)
  if (parsed === null) throw new Error(`${text} is no host`)
  return parsed
}

describe('connections', () => {
  const policy = decider({ host: 'example.com', port: null }, { host: 'git.test', port: 22 }, { host: '192.0.2.1', port: 8080 })

  test.each([
    ['example.com', 443, null, null],
    ['example.com', 80, null, null],
    ['example.com', 22, 'port_not_allowed', 'network.allow: [example.com:22]'],
    ['git.test', 22, null, null],
    ['git.test', 443, 'port_not_allowed', 'network.allow: [git.test]'],
    ['evil.test', 443, 'host_not_allowed', 'network.allow: [evil.test]'],
    ['192.0.2.1', 8080, null, null],
    ['192.0.2.1', 80, 'port_not_allowed', 'network.allow: [192.0.2.1]'],
    ['192.0.2.2', 8080, 'address_not_allowed', 'network.allow: [192.0.2.2:8080]'],
    ['::1', 8080, 'address_not_allowed', 'network.allow: [[::1]:8080]'],
  ])('%s:%i', (name, port, reason, remedy) => {
    const decision = policy.connection(host(name), port)
    expect(decision.allowed ? [null, null] : [decision.refusal.reason, decision.refusal.remedy]).toEqual([reason, remedy])
  })

  test('no rules refuse everything', () => {
    fc.assert(fc.property(hostName, fc.integer({ min: 1, max: 65_535 }), (name, port) => !decider().connection(host(name), port).allowed))
  })

  test('what is matched is what is dialled', async () => {
    await fc.assert(
      fc.asyncProperty(hostName, hostName, async (allowed, asked) => {
        const [text] = fc.sample(spelling(asked), 1)
        const decision = decider({ host: allowed, port: 443 }).connection(host(text ?? ''), 443)
        expect(decision.allowed).toBe(allowed === asked)
        if (!decision.allowed) return
        const looked: string[] = []
        const resolver = new HostResolver(
          (name) => Promise.resolve((looked.push(name), ['1.2.3.4'])),
          new Map(),
          () => new Set(),
        )
        expect(await resolver.resolve(decision.destination)).toMatchObject({ kind: 'found', port: 443 })
        expect(looked).toEqual([allowed])
      }),
    )
  })
})

const answers = (...addresses: string[]) =>
  new HostResolver(
    () => Promise.resolve(addresses),
    new Map(),
    () => new Set(['8.8.4.4']),
  )

const destination = { host: host('example.com'), port: 443 }

describe('resolving', () => {
  test('refuses names that lead into private ranges or to this machine', async () => {
    for (const address of ['127.0.0.1', '10.0.0.5', '169.254.169.254', '::1', 'fd00::1', '::ffff:192.168.0.1', '8.8.4.4', '0.0.0.0']) {
      expect(await answers(address).resolve(destination)).toMatchObject({
        kind: 'refused',
        refusal: { reason: 'private_address', object: 'example.com:443' },
      })
    }
  })

  test('of a mixed answer only public addresses are dialled', async () => {
    const found = await answers('127.0.0.1', '1.2.3.4', '10.0.0.1').resolve(destination)
    expect(found.kind === 'found' ? found.addresses.map(({ text }) => text) : found.kind).toEqual(['1.2.3.4'])
  })

  test('an option can pin a name to a private address and another port', async () => {
    const pins = new Map([['example.com', { address: '127.0.0.1', port: 4873 }]])
    const pinned = new HostResolver(() => Promise.reject(new Error('asked')), pins)
    expect(await pinned.resolve(destination)).toMatchObject({ kind: 'found', port: 4873, addresses: [{ text: '127.0.0.1' }] })
  })

  test('nothing and nonsense are unknown', async () => {
    expect(await answers().resolve(destination)).toEqual({ kind: 'unknown' })
    expect(await answers('0x7f.1', 'evil').resolve(destination)).toEqual({ kind: 'unknown' })
    expect(await new HostResolver(() => Promise.reject(new Error('no')), new Map()).resolve(destination)).toEqual({ kind: 'unknown' })
  })

  test('a flood of names takes two lookups at a time', async () => {
    let running = 0
    let most = 0
    const resolver = new HostResolver(
      async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => void setTimeout(resolve, 1))
        running--
        return ['1.2.3.4']
      },
      new Map(),
      () => new Set(),
    )
    const found = await Promise.all(Array.from({ length: 20 }, (_, index) => resolver.resolve({ host: host(`n${index}.test`), port: 443 })))
    expect([most, found.every(({ kind }) => kind === 'found')]).toEqual([2, true])
  })

  test('a burst asks once', async () => {
    let asked = 0
    const resolver = new HostResolver(
      () => Promise.resolve([`1.2.3.${++asked}`]),
      new Map(),
      () => new Set(),
    )
    await Promise.all(Array.from({ length: 20 }, () => resolver.resolve(destination)))
    expect(asked).toBe(1)
  })
})

describe('requests', () => {
  const policy = decider({ host: 'ok.test', port: null }, { host: 'ok.test', port: 8080 })
  const fixed = { host: host('ok.test'), port: 80 }
  const decide = (target: string, headers: readonly string[], to: typeof fixed | null, method = 'GET'): string => {
    const decision = decideRequest({ method, target, headers }, to, policy)
    return decision.allowed ? `${decision.destination.host.text}:${decision.destination.port}${decision.path}` : decision.refusal.reason
  }

  test.each([
    ['/x?y', ['Host', 'ok.test'], 'ok.test:80/x?y'],
    ['/', ['Host', 'OK.test.:80'], 'ok.test:80/'],
    ['*', ['Host', 'ok.test'], 'ok.test:80*'],
    ['http://ok.test/x', ['Host', 'ok.test'], 'ok.test:80/x'],
    ['http://ok.test?q', ['Host', 'ok.test'], 'ok.test:80/?q'],
    ['/', ['Host', 'evil.test'], 'host_mismatch'],
    ['/', ['Host', 'ok.test:81'], 'host_mismatch'],
    ['/', ['Host', ''], 'host_mismatch'],
    ['/', [], 'host_mismatch'],
    ['/', ['Host', 'ok.test', 'Host', 'evil.test'], 'malformed_request'],
    ['/', ['Host', 'ok.test', 'host', 'ok.test'], 'malformed_request'],
    ['/', ['Host', 'evil.test@ok.test'], 'host_mismatch'],
    ['http://evil.test/', ['Host', 'ok.test'], 'host_mismatch'],
    ['http://ok.test@evil.test/', ['Host', 'ok.test'], 'malformed_request'],
    ['https://ok.test/', ['Host', 'ok.test'], 'malformed_request'],
    ['http:/ok.test/', ['Host', 'ok.test'], 'malformed_request'],
    ['http:\\\\evil.test/', ['Host', 'ok.test'], 'malformed_request'],
    ['/', ['Host', 'ok.test', 'Content-Length', '4', 'Transfer-Encoding', 'chunked'], 'malformed_request'],
    ['/', ['Host', 'ok.test', 'Transfer-Encoding', 'chunked, identity'], 'malformed_request'],
    ['/', ['Host', 'ok.test', 'Content-Length', '+4'], 'malformed_request'],
  ])('to ok.test:80: %s %j is %s', (target, headers, expected) => {
    expect(decide(target, headers, fixed)).toBe(expected)
  })

  test.each([
    ['http://ok.test/x', ['Host', 'ok.test'], 'ok.test:80/x'],
    ['http://ok.test:8080/x', ['Host', 'ok.test:8080'], 'ok.test:8080/x'],
    ['HTTP://OK.TEST/', [], 'ok.test:80/'],
    ['http://ok.test:22/', ['Host', 'ok.test:22'], 'port_not_allowed'],
    ['http://evil.test/', ['Host', 'evil.test'], 'host_not_allowed'],
    ['http://evil.test/', ['Host', 'ok.test'], 'host_mismatch'],
    ['http://ok.test/', ['Host', 'evil.test'], 'host_mismatch'],
    ['http://127.0.0.1/', ['Host', '127.0.0.1'], 'address_not_allowed'],
    ['http://0x7f.1/', ['Host', '0x7f.1'], 'malformed_request'],
    ['http://2130706433/', ['Host', '2130706433'], 'malformed_request'],
    ['http://[::ffff:127.0.0.1]/', ['Host', '[::ffff:127.0.0.1]'], 'address_not_allowed'],
    ['http://evil.test%00.ok.test/', ['Host', 'ok.test'], 'malformed_request'],
    ['/', ['Host', 'ok.test'], 'unsupported_request'],
    ['ftp://ok.test/', ['Host', 'ok.test'], 'malformed_request'],
  ])('on the proxy port: %s %j is %s', (target, headers, expected) => {
    expect(decide(target, headers, null)).toBe(expected)
  })

  test.each([
    ['ok.test:443', ['Host', 'ok.test:443'], 'ok.test:443'],
    ['ok.test:443', [], 'ok.test:443'],
    ['OK.test.:443', ['Host', 'ok.test'], 'ok.test:443'],
    ['ok.test', [], 'malformed_host'],
    ['ok.test:25', [], 'port_not_allowed'],
    ['evil.test:443', ['Host', 'ok.test:443'], 'host_mismatch'],
    ['evil.test:443', [], 'host_not_allowed'],
    ['evil.test\0.ok.test:443', [], 'malformed_host'],
    ['user@ok.test:443', [], 'malformed_host'],
    ['127.0.0.1:443', [], 'address_not_allowed'],
    ['[::1]:443', [], 'address_not_allowed'],
    ['0:443', [], 'malformed_host'],
    ['ok.test:443', ['Content-Length', '4'], 'malformed_request'],
  ])('CONNECT %s %j is %s', (target, headers, expected) => {
    const decision = decideConnect({ method: 'CONNECT', target, headers }, policy)
    expect(decision.allowed ? `${decision.destination.host.text}:${decision.destination.port}` : decision.refusal.reason).toBe(expected)
  })
})

describe('headers', () => {
  test('of one hop do not go on; the ones that frame and aim cannot be removed by naming them', () => {
    const raw = [
      'Connection',
      'X-Secret, Host, Content-Length, keep-alive',
      'X-Secret',
      '1',
      'Keep-Alive',
      '5',
      'Content-Length',
      '3',
      'Accept',
      '*/*',
      'TE',
      'trailers',
    ]
    expect(endToEnd([...raw, 'Host', 'a', 'Proxy-Authorization', 'x', 'Upgrade', 'h2c'], ['host'])).toEqual([
      'Content-Length',
      '3',
      'Accept',
      '*/*',
    ])
  })

  test('framing is said once', () => {
    expect(framing(['Content-Length', '3'])).toBe('length')
    expect(framing(['Transfer-Encoding', 'Chunked'])).toBe('chunked')
    expect(framing([])).toBe('none')
    expect(framing(['Content-Length', '3', 'content-length', '3'])).toBeNull()
  })
})

describe('denial events', () => {
  test('are bounded in number, lost ones are counted, the same act is one event', () => {
    const events: Denial[] = []
    let now = 0
    const denials = new Denials(
      'net-gateway',
      (denial) => events.push(denial),
      () => now,
    )
    for (let index = 0; index < 200; index++) denials.refused({ reason: 'host_not_allowed', object: `n${index}.test`, remedy: null })
    expect(events).toHaveLength(50)
    now += 1000
    denials.refused({ reason: 'host_not_allowed', object: 'later.test', remedy: 'line' })
    denials.refused({ reason: 'host_not_allowed', object: 'later.test', remedy: 'line' })
    expect(events.slice(50)).toEqual([
      {
        layer: 'network',
        plugin: 'net-gateway',
        reason: 'host_not_allowed',
        object: 'later.test',
        action: 'deny',
        program: null,
        remedy: 'line',
        lost: 150,
      },
    ])
    for (let index = 0; index < 20; index++) denials.refused({ reason: 'own_loopback', object: `127.0.0.1:${index}`, remedy: null })
    denials.flush()
    expect(events.at(-1)).toMatchObject({ reason: 'events_lost', lost: 11 })
  })

  test('what a client is shown is one printable line', () => {
    expect(explain({ reason: 'host_not_allowed', object: 'evil\r\n\u001b[2J.test:80', remedy: 'network.allow: [x]' })).toBe(
      'bulkhead: evil???[2J.test:80: no rule allows this host (host_not_allowed). Allowed by: network.allow: [x]',
    )
  })
})
