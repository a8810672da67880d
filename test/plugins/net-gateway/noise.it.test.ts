import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientHello } from '../../gateway/hello.ts'
import { listen, speak } from '../../gateway/wire.ts'
import { openStreet } from './street.ts'

/** Bytes with the structure of what is parsed, damaged here and there. */
function damaged(whole: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...whole), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat({ max: 30 }))
    .map(([bytes, changes, cut]) => {
      const copy = Buffer.from(bytes)
      for (const [at, value] of changes) copy[at % copy.length] = value
      return copy.subarray(0, Math.max(1, copy.length - cut))
    })
}

const requests = [
  'GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n',
  'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n',
  'POST /\u00e9?x HTTP/1.1\r\nHost: ok.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n',
  'CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: ok.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: \u00ff\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n'.repeat(40),
].map((text) => Buffer.from(text, 'latin1'))

const answers = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nabc',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \u00e9\r\nX: \u00ff\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'))

describe('whatever clients and servers send', () => {
  test('the gateway goes on serving', async () => {
    let answer: Buffer = Buffer.from('')
    await using behind = await listen((socket) => {
      socket.on('data', () => socket.write(answer))
      socket.on('end', () => socket.end())
    })
    await using here = openStreet({
      allow: [
        { host: 'ok.test', port: null },
        { host: 'ok.test', port: 2222 },
      ],
      hosts: { 'ok.test': `127.0.0.1:${behind.port}` },
      maxConnections: 1000,
    })
    const doors = [
      await here.named('ok.test', 80),
      await here.named('ok.test', 2222),
      await here.door('127.0.0.1', 3128),
      await here.door('8.8.8.8', 53),
    ]
    const noise = fc.oneof(
      damaged([...requests, clientHello({ serverName: 'ok.test' })]),
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    const round = fc.tuple(
      fc.constantFrom(...doors),
      fc.array(noise, { minLength: 1, maxLength: 3 }),
      fc.oneof(damaged(answers), fc.constantFrom(...answers)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 20, maxLength: 20 }), async (rounds) => {
        await Promise.all(
          rounds.map(([door, pieces, reply]) => {
            answer = reply
            return speak(door, pieces, { pauseMs: 5, waitMs: 10 })
          }),
        )
      }),
      { numRuns: 60 },
    )
    answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect(await speak(doors[0] ?? 0, [requests[0] ?? ''], { waitMs: 50 })).toContain('200 OK')
  })

  test('pipelined requests do not open more connections than a few', async () => {
    let open = 0
    let most = 0
    await using behind = await listen((socket) => {
      most = Math.max(most, ++open)
      socket.on('close', () => open--)
    })
    await using here = openStreet({ allow: [{ host: 'ok.test', port: null }], hosts: { 'ok.test': `127.0.0.1:${behind.port}` } })
    await speak(await here.named('ok.test', 80), [Buffer.concat(Array.from({ length: 500 }, () => requests[0] ?? Buffer.of()))], {
      waitMs: 100,
    })
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(4)
  })
})
