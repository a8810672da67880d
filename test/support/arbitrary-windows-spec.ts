import * as fc from 'fast-check'
import type { LaunchSpec } from '../../core/contracts/index.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.replaceAll('\0', ''))
const word = text.filter((value) => value !== '')
const path = fc.tuple(fc.constantFrom('C', 'z'), fc.constantFrom('\\', '/'), text).map(([drive, slash, rest]) => `${drive}:${slash}${rest}`)
const limit = fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const part = fc.integer({ min: 0, max: 0xffff_ffff })
const sid = fc.array(part, { minLength: 1, maxLength: 15 }).map((parts) => `S-1-5-${parts.join('-')}`)

const account = fc.record({ name: word, sid, secretFile: path })
const token = fc.record({
  mechanism: fc.constant('windows-restricted' as const),
  tier: fc.constantFrom('blind' as const, 'write-restricted' as const),
  launchSid: sid,
  restricting: fc.array(fc.oneof(sid, fc.constant('logon')), { maxLength: 4 }),
  integrity: fc.constantFrom('low' as const, 'medium' as const),
  privateDesktop: fc.boolean(),
  memoryBytes: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  cpuPercent: fc.option(fc.integer({ min: 1, max: 100 })),
  account: fc.option(account),
})
const filesystem = fc.record({ mechanism: fc.constant('windows-acl' as const), workspaceSid: sid })
const network = fc.record({ mechanism: fc.constant('windows-wfp' as const), gatewayPort: fc.integer({ min: 1, max: 65_535 }) })
const interception = fc.record({
  mechanism: fc.constant('windows-hook' as const),
  wow64: fc.constantFrom('refuse' as const, 'report' as const),
  askTimeoutMs: fc.nat(0xffff_ffff),
  rules: fc.array(
    fc.record({
      id: fc.nat(),
      on: fc.constantFrom('file.write', 'file.delete', 'process.exec'),
      action: fc.constantFrom('allow' as const, 'deny' as const, 'kill' as const, 'redirect' as const),
      match: word,
      target: fc.option(word),
    }),
    { maxLength: 4 },
  ),
})

/** Parts come with what they mean something with, or not at all. */
const walls = fc
  .record({ token: fc.option(token), filesystem: fc.option(filesystem), network: fc.option(network) })
  .map(({ token, filesystem, network }) => ({
    token,
    filesystem: token === null || filesystem?.workspaceSid === token.launchSid ? null : filesystem,
    network: token?.account === null || token === null ? null : network,
  }))

/** Every specification for Windows that the contract allows, in small. */
export const anyWindowsSpec: fc.Arbitrary<LaunchSpec> = fc
  .tuple(
    walls,
    fc.record({
      command: fc.record({
        argv: fc.tuple(word, fc.array(text, { maxLength: 3 })).map(([first, rest]) => [first, ...rest]),
        directory: path,
        environment: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), text, { maxKeys: 4 }),
      }),
      interception: fc.option(interception),
      limits: fc.record({ processes: limit, openFiles: limit }),
    }),
  )
  .map(([parts, rest]) => ({ ...parts, ...rest }))
