import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LaunchSpec, RestrictedToken } from '../../../core/contracts/index.ts'
import { encodeLaunch } from '../../../native/windows/codec.ts'
import { anyStdio } from '../../support/arbitrary-spec.ts'
import { anyWindowsSpec } from '../../support/arbitrary-windows-spec.ts'
import { Decoder } from '../../support/decoder.ts'
import { hostHas } from '../../support/host.ts'
import { decodesWhatIsMeant } from '../decode.cases.ts'

const body = (spec: LaunchSpec): Buffer => Buffer.from(encodeLaunch(spec, { kind: 'pipes' }).subarray(5))

const token: RestrictedToken = {
  mechanism: 'windows-restricted',
  tier: 'blind',
  launchSid: 'S-1-5-21-1-2-3-4',
  restricting: ['S-1-5-12'],
  integrity: 'low',
  privateDesktop: true,
  memoryBytes: null,
  cpuPercent: null,
  account: null,
}
const spec: LaunchSpec = {
  command: { argv: ['x'], directory: 'C:\\', environment: {} },
  token,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}
const filesystem = (workspaceSid: string) => ({ mechanism: 'windows-acl', workspaceSid }) as const

describe.runIf(hostHas('cc'))('the decoder of the Windows launcher', () => {
  let decoder: Decoder
  beforeAll(() => {
    const folders = ['include', 'src/common', 'src/windows', 'src/windows/launcher']
    decoder = new Decoder('decode-windows.c', ['src/common/wire.c', 'src/windows/launcher/spec.c'], folders)
  })
  afterAll(() => decoder[Symbol.dispose]())

  decodesWhatIsMeant(
    () => decoder,
    fc.tuple(anyWindowsSpec, anyStdio).map(([any, stdio]) => Buffer.from(encodeLaunch(any, stdio).subarray(5))),
  )

  test('refuses what would be less than it says', () => {
    const wrong: readonly LaunchSpec[] = [
      { ...spec, token: null, filesystem: filesystem('S-1-5-21-5-6-7-8') },
      { ...spec, network: { mechanism: 'windows-wfp', gatewayPort: 1 } },
      { ...spec, filesystem: filesystem(token.launchSid) },
      { ...spec, command: { ...spec.command, directory: 'relative' } },
      { ...spec, command: { ...spec.command, directory: '\\\\server\\share' } },
      { ...spec, command: { ...spec.command, argv: [''] } },
      ...['Everyone', 'S-1', 'S-1-5', 'S-1-5-', 'S-1-5-01', 'S-1-5-4294967296', 's-1-5-21', 'S-1-5-12 ', 'S-2-5-12'].map((launchSid) => ({
        ...spec,
        token: { ...token, launchSid },
      })),
      { ...spec, token: { ...token, memoryBytes: 0 } },
      { ...spec, token: { ...token, cpuPercent: 101 } },
    ]
    expect(decoder.decode([spec, ...wrong].map(body)).map((again) => again === null)).toEqual([false, ...wrong.map(() => true)])
  })
})
