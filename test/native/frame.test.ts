import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader, FrameSplitter, FrameWriter } from '../../native/frame.ts'
import { encodeLaunch } from '../../native/linux/codec.ts'
import { errno } from '../../native/linux/errno.ts'
import { decodeOutcomes, encodeAttempts } from '../../native/messages.ts'
import { bareParts, command } from '../support/native-specs.ts'

const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''))

describe('frames', () => {
  test('are cut out of the stream wherever it was torn apart', () => {
    const frames = fc.array(fc.tuple(fc.nat(255), fc.nat(0xffff_ffff), text), { maxLength: 8 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 9 })), (wanted, sizes) => {
        const bytes = Buffer.concat(
          wanted.map(([type, number, value]) => {
            const w = new FrameWriter(type)
            w.u32(number)
            w.text(value)
            return w.finish()
          }),
        )
        const splitter = new FrameSplitter()
        const seen: [number, number, string][] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % (sizes.length || 1)] ?? 5
          for (const frame of splitter.push(bytes.subarray(at, at + size))) seen.push([frame.type, frame.u32(), frame.text()])
          at += size
        }
        expect(seen).toEqual(wanted)
      }),
    )
  })

  test('end where they say: reading on throws', () => {
    expect(() => new FrameReader(Buffer.of(1, 2)).u32()).toThrow(RangeError)
    expect(() => new FrameReader(Buffer.of(1, 255, 255, 255, 255)).text()).toThrow(RangeError)
  })

  test('have a longest length, and no text in them a NUL', () => {
    const w = new FrameWriter(1)
    w.text('x'.repeat((4 << 20) - 5))
    expect(w.finish().length).toBe((4 << 20) + 4)
    w.u8(0)
    expect(() => w.finish()).toThrow(RangeError)
    expect(() => new FrameWriter(1).text('a\0b')).toThrow(RangeError)
  })
})

test('numbers out of range are refused, not wrapped', () => {
  for (const uid of [-1, 2 ** 32]) {
    const token = { mechanism: 'linux-userns' as const, inside: { uid, gid: 1 }, outside: null, hostname: 'h' }
    expect(() => encodeLaunch({ ...bareParts, token, command: command(['x']) }, { kind: 'pipes' })).toThrow(RangeError)
  }
  expect(() => encodeAttempts([{ op: 'signal', pid: -1 }])).toThrow(RangeError)
})

test('outcomes name their errors', () => {
  const w = new FrameWriter(21)
  w.u32(3)
  for (const [code, value] of [
    [0, 'x'],
    [13, ''],
    [4095, ''],
  ] as const) {
    w.u32(code)
    w.text(value)
  }
  const frame = new FrameReader(Buffer.from(w.finish().subarray(4)))
  expect(decodeOutcomes(frame, errno.name)).toEqual([
    { ok: true, error: null, value: 'x' },
    { ok: false, error: 'EACCES', value: null },
    { ok: false, error: 'errno 4095', value: null },
  ])
})
