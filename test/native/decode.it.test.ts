import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeLaunch } from '../../native/linux/codec.ts'
import { anySpec, anyStdio } from '../support/arbitrary-spec.ts'
import { hostHas, packageRoot } from '../support/host.ts'

/** Body of the frame, without length and type. */
const bodies = fc.tuple(anySpec, anyStdio).map(([spec, stdio]) => Buffer.from(encodeLaunch(spec, stdio).subarray(5)))

const token = (uid: number, gid: number) => ({
  mechanism: 'linux-userns' as const,
  inside: { uid: 1, gid: 1 },
  outside: { uid, gid },
  hostname: 'h',
})

describe.runIf(hostHas('cc'))('the decoder in C', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'bulkhead-decode-'))
    const native = join(packageRoot, 'native')
    const flags = [
      '-std=gnu11',
      '-D_GNU_SOURCE',
      '-O1',
      '-g',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-fsanitize=address,undefined',
      '-fno-sanitize-recover=all',
    ]
    const folders = ['include', 'src/common', 'src/linux'].map((name) => `-I${join(native, name)}`)
    const sources = ['src/common/wire.c', 'src/linux/spec.c', 'src/linux/intercept/names.c'].map((name) => join(native, name))
    execFileSync('cc', [
      ...flags,
      ...folders,
      '-o',
      join(directory, 'decode'),
      join(packageRoot, 'test/support/decode-runner.c'),
      ...sources,
    ])
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** For each input what it became, or null when it was refused. Throws when the sanitizers found anything. */
  function decode(inputs: readonly Buffer[]): (Buffer | null)[] {
    const framed = inputs.flatMap((input) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(input.length)
      return [length, input]
    })
    const { stdout, stderr, status } = spawnSync(join(directory, 'decode'), { input: Buffer.concat(framed), maxBuffer: 1 << 28 })
    if (status !== 0) throw new Error(stderr.toString('utf8'))
    let at = 0
    return inputs.map(() => {
      if (stdout[at++] === 0) return null
      const length = stdout.readUInt32LE(at)
      at += 4 + length
      return stdout.subarray(at - length, at)
    })
  }

  test('understands every field as it was meant', () => {
    const inputs = fc.sample(bodies, { numRuns: 2000, seed: 7 })
    expect(decode(inputs).map((again, index) => again?.equals(inputs[index] ?? Buffer.of()) === true)).toEqual(inputs.map(() => true))
  })

  test('refuses whatever is cut short or goes on', () => {
    const inputs = fc.sample(bodies, { numRuns: 40, seed: 8 })
    const short = inputs.flatMap((input) => Array.from({ length: input.length }, (_, length) => input.subarray(0, length)))
    const long = inputs.map((input) => Buffer.concat([input, Buffer.of(0)]))
    expect(short.length).toBeGreaterThan(3000)
    expect(decode([...short, ...long]).filter((again) => again !== null)).toEqual([])
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
    const decoded = decode(inputs)
    const wrong = decoded.filter((again, index) => again !== null && !again.equals(inputs[index] ?? Buffer.of()))
    expect(wrong).toEqual([])
    // Both happen, so both were tested.
    expect([decoded.includes(null), decoded.some((again) => again !== null)]).toEqual([true, true])
  })

  test('refuses root and nobody as the identity for the kernel', () => {
    const spec = {
      command: { argv: ['x'], directory: '/', environment: {} },
      filesystem: null,
      network: null,
      interception: null,
      limits: { processes: null, openFiles: null },
    }
    const input = (uid: number, gid: number): Buffer =>
      Buffer.from(encodeLaunch({ ...spec, token: token(uid, gid) }, { kind: 'pipes' }).subarray(5))
    expect(decode([input(0, 1), input(1, 0), input(0xffff_ffff, 1), input(1, 1)]).map((again) => again === null)).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})
