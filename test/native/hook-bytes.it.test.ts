import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { interceptedActs, interceptionActions } from '../../core/contracts/index.ts'
import { hostHas } from '../support/host.ts'
import { HookParts, readText, text16, text8, u32 } from '../support/hook-parts.ts'

let parts: HookParts
beforeAll(() => {
  parts = new HookParts()
})
afterAll(() => parts[Symbol.dispose]())

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8])
const zeros = (count: number): Buffer => Buffer.alloc(count)
const port = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])

/** sockaddr_in and sockaddr_in6 of Windows. */
const inet = (address: readonly number[], at: number): Buffer => Buffer.concat([u16(2), port(at), Buffer.from(address), zeros(8)])
const inet6 = (address: Buffer, at: number): Buffer => Buffer.concat([u16(23), port(at), u32(0), address, u32(0)])
const local = (path: string): Buffer => Buffer.concat([u16(1), Buffer.from(path), zeros(108 - Buffer.byteLength(path))])
const loopback6 = Buffer.concat([zeros(15), Buffer.from([1])])
const mapped = Buffer.concat([zeros(10), Buffer.from([0xff, 0xff, 10, 1, 2, 3])])

/** TRANSPORT_ADDRESS: u32 count, u16 length, u16 family, body. */
const transport = (address: Buffer): Buffer => Buffer.concat([u32(1), u16(address.length - 2), address])

const codes = {
  bind: 0x12003,
  connect: 0x12007,
  sendDatagram: 0x12023,
  joinLeaf: 0x120bb,
  superConnect: 0x120c7,
  sendMessage: 0x120d3,
  wineConnect: 0x12032c,
  wineSend: 0x120338,
}
const acts = { connect: interceptedActs.indexOf('net.connect'), bind: interceptedActs.indexOf('net.bind') }

interface Read {
  readonly act: number
  readonly indirect?: boolean
  readonly length?: number
  readonly pointer?: bigint
  readonly text?: string | number
}

function afd(code: number, input: Buffer): Read {
  const [answer = zeros(0)] = parts.ask('afd', [Buffer.concat([u32(code), input])])
  const act = answer.readInt32LE()
  if (act < 0) return { act }
  const indirect = answer.readInt32LE(4) === 1
  const common = { act, indirect, length: answer.readInt32LE(8), pointer: answer.readBigUInt64LE(12) }
  return indirect ? common : { ...common, text: readText(answer, 20) }
}

describe.runIf(hostHas('cc'))('sockets', () => {
  const four = inet([127, 0, 0, 1], 8080)
  test.each([
    ['bind', codes.bind, Buffer.concat([u32(0), four]), acts.bind, '127.0.0.1:8080'],
    ['bind, the older form', codes.bind, Buffer.concat([u32(0), transport(four)]), acts.bind, '127.0.0.1:8080'],
    ['bind of IPv6', codes.bind, Buffer.concat([u32(3), inet6(loopback6, 1)]), acts.bind, '[::1]:1'],
    ['connect', codes.connect, Buffer.concat([zeros(24), four]), acts.connect, '127.0.0.1:8080'],
    ['connect, the older form', codes.connect, Buffer.concat([zeros(24), transport(four)]), acts.connect, '127.0.0.1:8080'],
    ['connect of a local socket', codes.connect, Buffer.concat([zeros(24), local('C:\\w\\x.sock')]), acts.connect, 'C:\\w\\x.sock'],
    ['join leaf', codes.joinLeaf, Buffer.concat([zeros(24), four]), acts.connect, '127.0.0.1:8080'],
    ['ConnectEx', codes.superConnect, Buffer.concat([zeros(2), four]), acts.connect, '127.0.0.1:8080'],
    ['ConnectEx, the older form', codes.superConnect, Buffer.concat([zeros(4), transport(four)]), acts.connect, '127.0.0.1:8080'],
    ['ConnectEx of a mapped address', codes.superConnect, Buffer.concat([zeros(2), inet6(mapped, 443)]), acts.connect, '10.1.2.3:443'],
    ['Wine’s connect', codes.wineConnect, Buffer.concat([u32(16), u32(0), four]), acts.connect, '127.0.0.1:8080'],
    [
      'Wine’s connect with data',
      codes.wineConnect,
      Buffer.concat([u32(16), u32(0), four, Buffer.from('hello')]),
      acts.connect,
      '127.0.0.1:8080',
    ],
  ] as const)('%s', (_name, code, input, act, text) => {
    expect(afd(code, input)).toMatchObject({ act, indirect: false, text })
  })

  test('an address that is somewhere else', () => {
    const pointer = 0x1122_3344_5566_7788n
    const wide = Buffer.alloc(8)
    wide.writeBigUInt64LE(pointer)
    const datagram = Buffer.concat([zeros(96), u32(16), u32(0), wide])
    expect(afd(codes.sendDatagram, datagram)).toEqual({ act: acts.connect, indirect: true, length: 16, pointer })
    expect(afd(codes.wineSend, Buffer.concat([wide, u32(16), zeros(20)]))).toEqual({
      act: acts.connect,
      indirect: true,
      length: 16,
      pointer,
    })
    expect(afd(codes.sendMessage, Buffer.concat([zeros(24), wide, zeros(32)]))).toEqual({
      act: acts.connect,
      indirect: true,
      length: 28,
      pointer,
    })
    // A datagram on a connected socket names nobody.
    expect(afd(codes.wineSend, zeros(32))).toEqual({ act: -1 })
    expect(afd(codes.sendDatagram, zeros(112))).toEqual({ act: -1 })
  })

  test.each([
    ['cut short', codes.connect, zeros(24)],
    ['of no family that rules speak of', codes.connect, Buffer.concat([zeros(24), u16(32), zeros(30)])],
    ['of another code', 0x12017, Buffer.concat([zeros(24), inet([1, 2, 3, 4], 5)])],
    ['empty', codes.bind, zeros(0)],
  ] as const)('nothing is made of what is %s', (_name, code, input) => {
    expect(afd(code, input)).toEqual({ act: -1 })
  })

  test.each([
    [inet([0, 0, 0, 0], 0), '0.0.0.0:0'],
    [inet([255, 255, 255, 255], 65_535), '255.255.255.255:65535'],
    [inet6(zeros(16), 1), '[::]:1'],
    [inet6(Buffer.from('20010db8000000000000000000000001', 'hex'), 1), '[2001:db8::1]:1'],
    [inet6(Buffer.from('20010db8000000010000000000000001', 'hex'), 1), '[2001:db8:0:1::1]:1'],
    [inet6(Buffer.from('20010000000000010000000000010001', 'hex'), 1), '[2001::1:0:0:1:1]:1'],
    [inet6(Buffer.from('fe800000000000000000000000000000', 'hex'), 1), '[fe80::]:1'],
    [inet6(Buffer.from('00010002000300040005000600070000', 'hex'), 1), '[1:2:3:4:5:6:7:0]:1'],
    [Buffer.concat([transport(inet([1, 2, 3, 4], 5))]), '1.2.3.4:5'],
    [u16(2), -1],
    [local(''), -1],
    [zeros(0), -1],
  ] as const)('%j reads %j', (address, text) => {
    expect(readText(parts.ask('address', [address])[0] ?? zeros(0))).toBe(text)
  })

  test.each([
    ['1.2.3.4:80', inet([9, 9, 9, 9], 1), '1.2.3.4:80'],
    ['1.2.3.4:80', inet6(loopback6, 1), '1.2.3.4:80'],
    ['[2001:db8::5]:443', inet6(loopback6, 1), '[2001:db8::5]:443'],
    ['[1:2:3:4:5:6:7:8]:1', inet6(loopback6, 1), '[1:2:3:4:5:6:7:8]:1'],
    ['[::]:1', inet6(loopback6, 1), '[::]:1'],
  ] as const)('%s in the place of another address', (target, address, text) => {
    const [answer = zeros(4)] = parts.ask('replace', [Buffer.concat([text16(target), address])])
    expect(answer.readInt32LE()).toBe(1)
    expect(readText(parts.ask('address', [answer.subarray(4)])[0] ?? zeros(0))).toBe(text)
  })

  test.each([
    '[::1]:80',
    '1.2.3:80',
    '1.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '1.2.3.256:1',
    '1.2.3.4:1x',
    '',
    'x:1',
    '[::1::2]:1',
    '[1:2:3:4:5:6:7]:1',
  ])('%j cannot stand in the place of an IPv4 address', (target) => {
    const address = inet([9, 9, 9, 9], 1)
    const [answer = zeros(4)] = parts.ask('replace', [Buffer.concat([text16(target), address])])
    expect([answer.readInt32LE(), answer.subarray(4)]).toEqual([0, address])
  })

  test('bytes from anywhere do no harm', () => {
    const code = fc.constantFrom(...Object.values(codes), 0, 0xffff_ffff)
    const inputs = fc.array(fc.tuple(code, fc.uint8Array({ maxLength: 140 })), { minLength: 500, maxLength: 800 })
    fc.assert(
      fc.property(inputs, (many) => {
        parts.ask(
          'afd',
          many.map(([one, bytes]) => Buffer.concat([u32(one), bytes])),
        )
        parts.ask(
          'address',
          many.map(([, bytes]) => Buffer.from(bytes)),
        )
        parts.ask(
          'frame',
          many.map(([, bytes]) => Buffer.from(bytes)),
        )
        parts.ask(
          'policyBytes',
          many.map(([, bytes]) => Buffer.from(bytes)),
        )
      }),
      { numRuns: 15 },
    )
  })
})

interface Rule {
  readonly on: string
  readonly action: string
  readonly match: string | Buffer
  readonly target: string | Buffer
}

function build(rules: readonly Rule[], damage = -1): Buffer {
  const encoded = rules.flatMap(({ on, action, match, target }, id) => [
    u32(id + 10),
    text8(on),
    text8(action),
    text8(match),
    text8(target),
  ])
  return parts.ask('policyBuild', [Buffer.concat([u32(damage), u32(rules.length), ...encoded])])[0] ?? zeros(0)
}

describe.runIf(hostHas('cc'))('the policy', () => {
  const rule: Rule = { on: 'file.write', action: 'deny', match: 'C:/a/**', target: '' }

  test('is read as it was built, with patterns folded', () => {
    const answer = build([rule, { on: 'net.connect', action: 'redirect', match: '*:80', target: '127.0.0.1:8080' }])
    let at = 0
    const next = () => answer.readInt32LE((at += 4) - 4)
    const text = () => {
      const value = readText(answer, at)
      at += 4 + 2 * String(value).length
      return value
    }
    expect([next(), next(), next(), next(), next()]).toEqual([0, 1, 7, 99, (1 << 0) | (1 << acts.connect)])
    expect([text(), text(), next()]).toEqual([String.raw`\\.\p`, String.raw`C:\h`, 2])
    expect([next(), next(), next(), text(), text()]).toEqual([10, 0, 1, String.raw`C:\A\**`, ''])
    expect([next(), next(), next(), text(), text()]).toEqual([11, acts.connect, 3, '*:80', '127.0.0.1:8080'])
    expect(at).toBe(answer.length)
  })

  test('knows the acts and actions of the contract, in their order', () => {
    for (const [index, on] of interceptedActs.entries()) expect(build([{ ...rule, on }]).readInt32LE(16)).toBe(1 << index)
    for (const action of interceptionActions) {
      expect(build([{ ...rule, action, target: action === 'redirect' ? 'x' : '' }]).readInt32LE()).toBe(0)
    }
  })

  test.each([
    ['an unknown act', { on: 'file.read' }],
    ['an unknown action', { action: 'log' }],
    ['no pattern', { match: '' }],
    ['a redirect that leads nowhere', { action: 'redirect' }],
    ['a target without redirect', { target: 'x' }],
    ['text that is not UTF-8', { match: Buffer.from([0x43, 0xff]) }],
    ['an overlong form', { match: Buffer.from([0xc0, 0xaf]) }],
    ['half a surrogate', { match: Buffer.from([0xed, 0xa0, 0x80]) }],
    ['a text that is too long', { match: 'a'.repeat(32_701) }],
  ] as const)('is not built from %s, and says which rule it was', (_name, wrong) => {
    const answer = build([rule, { ...rule, ...wrong }])
    expect([answer.readInt32LE(), answer.readInt32LE(4)]).toEqual([-2, 1])
  })

  test('one changed bit anywhere, and it is no policy', () => {
    const rules = [rule, { ...rule, match: 'C:/b', on: 'registry.write' }]
    for (let offset = 0; offset < 180; offset++) expect(build(rules, offset).readInt32LE()).toBe(-1)
  })
})

describe.runIf(hostHas('cc'))('events', () => {
  const event = (program: string | Buffer, object: string) =>
    parts.ask('event', [Buffer.concat([text8(program), text16(object)])])[0]?.toString()

  test('come out as they went in', () => {
    expect(event('node.exe', 'C:\\ä\u{1f600}')).toBe('node.exe\nC:\\ä\u{1f600}')
    expect(event('', '')).toBe('\n')
  })

  test('lone surrogates and NULs are shown, not passed on', () => {
    expect(event('x', 'a\ud800b\udc00c\u0000d')).toBe('x\na\ufffdb\ufffdc\ufffdd')
  })

  test('what is too long is cut at a character', () => {
    const [program, object] = event('p', 'é'.repeat(4000))?.split('\n') ?? []
    expect([program, object]).toEqual(['p', 'é'.repeat(2047)])
    expect(event('é'.repeat(200), 'x')).toBe(`${'é'.repeat(127)}\nx`)
  })

  test('frames with text that is no text are refused', () => {
    const frame = (body: Buffer) => Buffer.concat([u32(body.length), body])
    const text = (bytes: Buffer) => Buffer.concat([u16(bytes.length), bytes, zeros(1)])
    const of = (program: Buffer, object: Buffer) =>
      frame(Buffer.concat([Buffer.from([2]), u32(1), Buffer.from([0, 1]), u32(0), text(program), text(object)]))
    const good = of(Buffer.from('p'), Buffer.from('o'))
    const taken = (bytes: Buffer) => parts.ask('frame', [bytes])[0]?.readInt32LE()
    expect(taken(good)).toBe(good.length)
    expect(taken(Buffer.concat([good, good]))).toBe(good.length)
    for (let length = 0; length < good.length; length++) expect(taken(good.subarray(0, length))).toBe(0)
    expect(taken(of(Buffer.from([0xff]), Buffer.from('o')))).toBe(-1)
    expect(taken(of(Buffer.from('p\0q'), Buffer.from('o')))).toBe(-1)
    expect(taken(of(Buffer.alloc(256, 'p'), Buffer.from('o')))).toBe(-1)
    expect(taken(of(Buffer.from('p'), Buffer.alloc(4096, 'o')))).toBe(-1)
    expect(taken(frame(Buffer.from([9, 0, 0])))).toBe(-1)
    expect(taken(u32(0))).toBe(-1)
    expect(taken(u32(0xffff_ffff))).toBe(-1)
    const wrongAct = Buffer.from(good)
    wrongAct[9] = interceptedActs.length
    expect(taken(wrongAct)).toBe(-1)
  })
})

describe.runIf(hostHas('cc'))('the stubs of system calls', () => {
  const sound = (hex: string) => parts.ask('stub', [Buffer.from(hex.replaceAll(' ', '').padEnd(64, '0'), 'hex')])[0]?.readInt32LE() === 1
  const head = '4c 8b d1 b8 55 00 00 00'
  test.each([
    ['Windows 10 and 11', `${head} f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3 cd 2e c3`, true],
    ['Wine', `${head} f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3 eb 01 c3 ff 14 25 00 10 fe 7f c3`, true],
    ['Windows 7 and 8', `${head} 0f 05 c3`, true],
    ['another hook behind the number', `${head} 49 bb 88 77 66 55 44 33 22 11 41 ff e3`, true],
    ['a jump at the front', 'e9 01 02 03 04 00 00 00 f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3', false],
    ['our own jump', '48 b8 88 77 66 55 44 33 22 11 ff e0 fe 7f 01 75 03 0f 05 c3', false],
    ['a breakpoint', 'cc 8b d1 b8 55 00 00 00 f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3', false],
    ['a number that is none', '4c 8b d1 b8 55 00 01 00 f6 04 25 08 03 fe 7f 01 75 03 0f 05 c3', false],
    ['a relative jump behind the number', `${head} e9 01 02 03 04`, false],
    ['nothing', '', false],
  ] as const)('%s', (_name, hex, expected) => {
    expect(sound(hex)).toBe(expected)
  })
})
