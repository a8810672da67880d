import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeLaunch } from '../../native/linux/codec.ts'
import { anySpec, anyStdio } from '../support/arbitrary-spec.ts'
import { Decoder } from '../support/decoder.ts'
import { hostHas } from '../support/host.ts'
import { decodesWhatIsMeant } from './decode.cases.ts'

const token = (uid: number, gid: number) => ({
  mechanism: 'linux-userns' as const,
  inside: { uid: 1, gid: 1 },
  outside: { uid, gid },
  hostname: 'h',
})

describe.runIf(hostHas('cc'))('the decoder of the Linux helper', () => {
  let decoder: Decoder
  beforeAll(() => {
    const sources = ['src/common/wire.c', 'src/linux/spec.c', 'src/linux/intercept/names.c']
    decoder = new Decoder('decode-linux.c', sources, ['include', 'src/common', 'src/linux'])
  })
  afterAll(() => decoder[Symbol.dispose]())

  decodesWhatIsMeant(
    () => decoder,
    fc.tuple(anySpec, anyStdio).map(([spec, stdio]) => Buffer.from(encodeLaunch(spec, stdio).subarray(5))),
  )

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
    const decoded = decoder.decode([input(0, 1), input(1, 0), input(0xffff_ffff, 1), input(1, 1)])
    expect(decoded.map((again) => again === null)).toEqual([true, true, true, false])
  })
})
