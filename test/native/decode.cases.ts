import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Decoder } from '../support/decoder.ts'

/** What holds of every decoder of launch specifications. `bodies`: of frames that it must understand, without length and type. */
export function decodesWhatIsMeant(decoder: () => Decoder, bodies: fc.Arbitrary<Buffer>): void {
  test('understands every field as it was meant', () => {
    const inputs = fc.sample(bodies, { numRuns: 2000, seed: 7 })
    const decoded = decoder().decode(inputs)
    expect(decoded.map((again, index) => again?.equals(inputs[index] ?? Buffer.of()) === true)).toEqual(inputs.map(() => true))
  })

  test('refuses whatever is cut short or goes on', () => {
    const inputs = fc.sample(bodies, { numRuns: 40, seed: 8 })
    const short = inputs.flatMap((input) => Array.from({ length: input.length }, (_, length) => input.subarray(0, length)))
    const long = inputs.map((input) => Buffer.concat([input, Buffer.of(0)]))
    expect(short.length).toBeGreaterThan(3000)
    expect(
      decoder()
        .decode([...short, ...long])
        .filter((again) => again !== null),
    ).toEqual([])
  })

  test('reads nothing out of bounds, and means what it accepts, whatever was changed', () => {
    const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)))
    const changed = fc.tuple(bodies, fc.array(change, { minLength: 1, maxLength: 6 })).map(([input, changes]) => {
      const bytes = Buffer.from(input)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    const inputs = fc.sample(fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: noise }), { numRuns: 6000, seed: 9 })
    const decoded = decoder().decode(inputs)
    const wrong = decoded.filter((again, index) => again !== null && !again.equals(inputs[index] ?? Buffer.of()))
    expect(wrong).toEqual([])
    // Both happen, so both were tested.
    expect([decoded.includes(null), decoded.some((again) => again !== null)]).toEqual([true, true])
  })
}
