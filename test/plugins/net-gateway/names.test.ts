import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decider } from '../../../gateway/decide.ts'
import { decodeQuery, encodeName, recordTypes } from '../../../plugins/net-gateway/dns-message.ts'
import { NameServer, NameTable } from '../../../plugins/net-gateway/names.ts'
import type { Refusal } from '../../../gateway/reasons.ts'
import { compileRule } from '../../../gateway/rules.ts'
import { hostName, spelling } from '../../gateway/spellings.ts'

interface Reply {
  readonly id: number
  readonly code: number
  readonly addresses: readonly string[]
}

function server(...allow: string[]): {
  ask: (name: string | readonly string[], type?: number) => Reply | null
  names: NameServer
  table: NameTable
  refusals: Refusal[]
} {
  const refusals: Refusal[] = []
  const rules = allow.map((host) => compileRule({ host, port: null })).filter((rule) => typeof rule !== 'string')
  const table = new NameTable()
  const names = new NameServer(new Decider(rules), table, (refusal) => refusals.push(refusal))
  return { names, table, refusals, ask: (name, type = recordTypes.A) => read(names.answer(query(name, type))) }
}

function query(name: string | readonly string[], type: number): Buffer {
  const labels =
    typeof name === 'string'
      ? encodeName(name)
      : Buffer.concat([...name.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]), Buffer.of(0)])
  return Buffer.concat([Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), labels, Buffer.from([0, type, 0, 1])])
}

function read(reply: Buffer | null): Reply | null {
  if (reply === null) return null
  const count = reply.readUInt16BE(6)
  const addresses = Array.from({ length: count }, (_, index) =>
    [...reply.subarray(reply.length - (count - index) * 16).subarray(12, 16)].join('.'),
  )
  return { id: reply.readUInt16BE(0), code: (reply[3] ?? 0) & 15, addresses }
}

describe('name server', () => {
  test('gives allowed names a sticky synthetic address and nothing else', () => {
    const { ask, table, refusals } = server('example.com', '*.wild.test')
    expect(ask('example.com')).toEqual({ id: 0x1234, code: 0, addresses: ['198.18.1.0'] })
    expect(ask('a.wild.test')).toEqual({ id: 0x1234, code: 0, addresses: ['198.18.1.1'] })
    expect(ask('EXAMPLE.com')).toEqual({ id: 0x1234, code: 0, addresses: ['198.18.1.0'] })
    for (const type of [recordTypes.AAAA, 65, 64, 16, 15, 33, 255])
      expect(ask('example.com', type)).toEqual({ id: 0x1234, code: 0, addresses: [] })
    expect([table.nameAt('198.18.1.0'), table.nameAt('198.18.1.1'), table.nameAt('198.18.1.2')]).toEqual([
      'example.com',
      'a.wild.test',
      undefined,
    ])
    expect(refusals).toEqual([])
  })

  test('all others do not exist, and are reported with the line that would allow them', () => {
    const { ask, refusals } = server('example.com')
    expect(ask('evil.test')).toEqual({ id: 0x1234, code: 3, addresses: [] })
    expect(refusals).toEqual([{ reason: 'host_not_allowed', object: 'evil.test', remedy: 'network.allow: [evil.test]' }])
  })

  test.each([
    ['data in labels of a name that is not allowed', 'c2VjcmV0LWtleQ.tunnel.evil.test'],
    ['a NUL in a label', ['evil\0', 'example', 'com']],
    ['a dot in a label', ['evil.test', 'example.com']],
    ['an address as a name', ['127', '0', '0', '1']],
    ['an odd address as a name', ['0x7f', '1']],
    ['the root', []],
    ['a suffix without its dot', 'evilexample.com'],
    ['the allowed name as a prefix', 'example.com.evil.test'],
    ['data under arpa', 'c2VjcmV0.in-addr.arpa'],
  ])('refuses and reports %s', (_, name) => {
    const { ask, refusals, table } = server('example.com', '*.example.com')
    expect(ask(name)).toMatchObject({ code: 3, addresses: [] })
    expect(refusals).toHaveLength(1)
    expect(table.nameAt('198.18.1.0')).toBeUndefined()
  })

  test('localhost is the job’s own, addresses have no names but ours', () => {
    const { ask, names, refusals } = server('example.com')
    expect(ask('localhost')).toEqual({ id: 0x1234, code: 0, addresses: ['127.0.0.1'] })
    ask('example.com')
    expect(names.answer(query('0.1.18.198.in-addr.arpa', recordTypes.PTR))?.includes(encodeName('example.com'))).toBe(true)
    expect(ask('1.0.0.127.in-addr.arpa', recordTypes.PTR)).toMatchObject({ code: 3 })
    expect(refusals).toEqual([])
  })

  test('no rule, no name', () => {
    expect(server().ask('example.com')).toMatchObject({ code: 3 })
  })

  test('an address is never given to a second name', () => {
    const table = new NameTable()
    const addresses = new Set<string>()
    for (let index = 0; index < 65_536; index++) addresses.add(table.addressOf(`n${index}.example.com`) ?? 'none')
    expect(addresses.size).toBe(65_536)
    expect(addresses.has('none')).toBe(false)
    expect([...addresses].every((address) => /^198\.1[89]\./.test(address))).toBe(true)
    expect(table.addressOf('one-more.example.com')).toBeNull()
    expect(table.addressOf('n7.example.com')).not.toBeNull()
  })

  test('what is answered for is what is dialled, however it is spelled', () => {
    const spelled = hostName.chain((name) => fc.tuple(fc.constant(name), spelling(name)))
    fc.assert(
      fc.property(spelled, hostName, ([name, text], other) => {
        const { ask, table } = server(name)
        // A query has no trailing dot of its own: the root label ends every name.
        const [address] = ask(text.endsWith('.') ? text.slice(0, -1) : text)?.addresses ?? []
        expect(table.nameAt(address ?? '')).toBe(name)
        expect(ask(other)?.addresses.length === 1).toBe(other === name)
      }),
    )
  })
})

describe('decoder', () => {
  test.each([
    ['a response', Buffer.from([0, 1, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]), { kind: 'ignore' }],
    ['too short', Buffer.alloc(11), { kind: 'ignore' }],
    ['too long', Buffer.alloc(1233), { kind: 'ignore' }],
    ['an update', Buffer.from([0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]), { kind: 'bad', id: 1, code: 4 }],
    ['two questions', Buffer.from([0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]), { kind: 'bad', id: 1, code: 1 }],
    ['a pointer to itself', Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]), { kind: 'bad', id: 1, code: 1 }],
    ['a label past the end', Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 97, 0, 1, 0, 1]), { kind: 'bad', id: 1, code: 1 }],
    ['no type', Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0]), { kind: 'bad', id: 1, code: 1 }],
    ['a name of 256 bytes', query(Array.from({ length: 127 }, () => 'a').concat('a'), 1), { kind: 'bad', id: 0x1234, code: 1 }],
  ])('%s', (_, bytes, expected) => {
    expect(decodeQuery(bytes)).toEqual(expected)
  })

  test('never throws, answers at most once and not much more than it was sent', () => {
    const { names } = server('example.com', '*.a.b')
    const noise = fc.uint8Array({ maxLength: 1400 }).map((bytes) => Buffer.from(bytes))
    const likely = fc
      .tuple(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.array(fc.uint8Array({ maxLength: 63 }), { maxLength: 6 }),
        fc.uint8Array({ maxLength: 8 }),
      )
      .map(([head, labels, rest]) =>
        Buffer.concat([
          Buffer.from([head[0] ?? 0, head[1] ?? 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, (head[2] ?? 0) & 1]),
          ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
          Buffer.of(0),
          Buffer.from(rest),
        ]),
      )
    fc.assert(
      fc.property(fc.oneof(noise, likely), (bytes) => {
        const reply = names.answer(bytes)
        if (reply !== null) expect(reply.length).toBeLessThanOrEqual(bytes.length + 300)
      }),
      { numRuns: 3000 },
    )
  })
})
