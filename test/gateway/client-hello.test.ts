import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHello } from '../../gateway/check-hello.ts'
import { parseClientHello } from '../../gateway/client-hello.ts'
import { classify } from '../../gateway/first-bytes.ts'
import { parseHost } from '../../gateway/host.ts'
import { clientHello, serverNameData } from './hello.ts'

describe('ClientHello', () => {
  test('finds the server name', () => {
    expect(parseClientHello(clientHello())).toEqual({ state: 'hello', serverName: 'example.com', encrypted: false })
    expect(parseClientHello(clientHello({ serverName: null }))).toEqual({ state: 'hello', serverName: null, encrypted: false })
  })

  test('over several records, and before what follows the hello', () => {
    expect(parseClientHello(clientHello({ recordBytes: 20 }))).toMatchObject({ serverName: 'example.com' })
    expect(parseClientHello(Buffer.concat([clientHello(), Buffer.from([20, 3, 3, 0, 1, 1])]))).toMatchObject({ serverName: 'example.com' })
  })

  test('every prefix needs more', () => {
    const hello = clientHello({ recordBytes: 40 })
    for (let length = 0; length < hello.length; length++) expect(parseClientHello(hello.subarray(0, length))).toEqual({ state: 'more' })
  })

  test.each([
    ['two server name extensions', clientHello({ extensions: [[0, serverNameData('evil.test')]] })],
    ['two names in one extension', clientHello({ serverName: null, extensions: [[0, twoNames()]] })],
    ['an empty name', clientHello({ serverName: '' })],
    ['a list longer than its extension', clientHello({ serverName: null, extensions: [[0, Buffer.from([0, 99, 0, 0, 1, 97])]] })],
    ['a name type that does not exist', clientHello({ serverName: null, extensions: [[0, Buffer.from([0, 4, 1, 0, 1, 97])]] })],
    ['many tiny records', clientHello({ recordBytes: 1 })],
    ['an empty record', Buffer.concat([Buffer.from([22, 3, 1, 0, 0]), clientHello()])],
    ['another handshake message first', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a second message in the record', withTrailer(clientHello())],
    ['an endless message', Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
  ])('refuses %s', (_, bytes) => {
    expect(parseClientHello(bytes)).toMatchObject({ state: 'invalid' })
  })

  test('never throws, on noise and on damaged hellos', () => {
    const damaged = fc
      .tuple(fc.nat({ max: clientHello().length - 1 }), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 200 }))
      .map(([at, value, cut]) => {
        const hello = clientHello()
        hello[at] = value
        return hello.subarray(0, hello.length - cut)
      })
    const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.concat([Buffer.from([22, 3]), bytes]))
    fc.assert(
      fc.property(fc.oneof(damaged, noise), (bytes) => {
        const parsed = parseClientHello(bytes)
        if (parsed.state === 'hello' && parsed.serverName !== null) expect(bytes.includes(parsed.serverName, 0, 'latin1')).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})

const check = (bytes: Buffer, host = 'example.com', ech: 'refuse' | 'allow' = 'refuse'): string | null => {
  const hello = parseClientHello(bytes)
  const parsed = parseHost(host)
  if (hello.state === 'more' || parsed === null) throw new Error('bad test')
  return checkHello(hello, { host: parsed, port: 443 }, ech)?.reason ?? null
}

describe('whom a hello is for', () => {
  test.each([
    ['the same name', clientHello(), 'example.com', null],
    ['another case', clientHello({ serverName: 'EXAMPLE.com' }), 'example.com', null],
    ['another name', clientHello({ serverName: 'evil.test' }), 'example.com', 'sni_mismatch'],
    ['a longer name', clientHello({ serverName: 'example.com.evil.test' }), 'example.com', 'sni_mismatch'],
    ['a NUL inside', clientHello({ serverName: 'evil.test\0.example.com' }), 'example.com', 'malformed_host'],
    ['an address', clientHello({ serverName: '192.0.2.1' }), 'example.com', 'sni_mismatch'],
    ['no name', clientHello({ serverName: null }), 'example.com', 'sni_missing'],
    ['no name to an address', clientHello({ serverName: null }), '192.0.2.1', null],
    ['a name to an address', clientHello(), '192.0.2.1', 'sni_mismatch'],
    ['an encrypted hello', clientHello({ extensions: [[0xfe0d, Buffer.alloc(9)]] }), 'example.com', 'ech_refused'],
    [
      'an encrypted hello with another outer name',
      clientHello({ serverName: 'cdn.test', extensions: [[0xfe0d, Buffer.alloc(9)]] }),
      'example.com',
      'sni_mismatch',
    ],
  ] as const)('%s', (_, bytes, host, expected) => {
    expect(check(bytes, host)).toBe(expected)
  })

  test('an encrypted hello can be allowed, its outer name still counts', () => {
    expect(check(clientHello({ extensions: [[0xfe0d, Buffer.alloc(9)]] }), 'example.com', 'allow')).toBeNull()
    expect(check(clientHello({ serverName: 'cdn.test', extensions: [[0xfe0d, Buffer.alloc(9)]] }), 'example.com', 'allow')).toBe(
      'sni_mismatch',
    )
  })
})

describe('first bytes', () => {
  test.each([
    ['GET / HTTP/1.1\r\n', 'http'],
    ['get / http/1.1\r\n', 'http'],
    ['\r\n\r\n GET / HTTP/1.1\r\n', 'http'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http'],
    ['CONNECT evil.test:443 HTTP/1.1\r\n', 'http'],
    ['GET / HT', 'more'],
    ['GET /', 'more'],
    ['', 'more'],
    ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'other'],
    ['0032git-upload-pack /project\0host=example.com\0', 'other'],
    ['EHLO there\r\n', 'other'],
    ['*1\r\n$4\r\nPING\r\n', 'other'],
    ['\0\0\0\x08\x04\xd2\x16\x2f', 'other'],
    ['\x80\x2e\x01\x03\x01', 'other'],
  ])('%j is %s', (text, kind) => {
    expect(classify(Buffer.from(text, 'latin1')).kind).toBe(kind)
  })
})

function twoNames(): Buffer {
  const list = Buffer.concat(['example.com', 'evil.test'].map((name) => Buffer.concat([Buffer.of(0, 0, name.length), Buffer.from(name)])))
  return Buffer.concat([Buffer.of(0, list.length), list])
}

/** Four more bytes inside the (only) record. */
function withTrailer(hello: Buffer): Buffer {
  const longer = Buffer.concat([hello, Buffer.from([1, 0, 0, 0])])
  longer.writeUInt16BE(hello.length - 5 + 4, 3)
  return longer
}
