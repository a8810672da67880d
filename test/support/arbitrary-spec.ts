import * as fc from 'fast-check'
import type { LaunchSpec, Stdio, ViewEntry } from '../../core/contracts/index.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.replaceAll('\0', ''))
const word = text.filter((value) => value !== '')
const component = word.map((value) => value.replaceAll('/', '-')).filter((value) => value !== '.' && value !== '..')
const path = fc.array(component, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const id = fc.integer({ min: 1, max: 0xffff_fffe })
const identity = fc.record({ uid: id, gid: id })
const mode = fc.integer({ min: 0, max: 0o1777 })
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const limit = fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))

const entry: fc.Arbitrary<ViewEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('bind' as const),
    source: path,
    target: path,
    writable: fc.boolean(),
    owner: fc.option(identity),
    optional: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('tmpfs' as const), target: path, sizeBytes: size, mode }),
  fc.record({ kind: fc.constant('file' as const), target: path, content: text, mode }),
  fc.record({ kind: fc.constant('symlink' as const), target: path, to: text }),
  fc.record({ kind: fc.constant('directory' as const), target: path, mode }),
  fc.record({ kind: fc.constant('hide' as const), target: path }),
  fc.record({ kind: fc.constant('proc' as const), target: path }),
  fc.record({ kind: fc.constant('dev' as const), target: path, shmBytes: size }),
)

const rule = fc.record({
  id: fc.nat(),
  on: fc.constantFrom('file.write', 'file.delete', 'file.rename', 'file.chmod', 'process.exec', 'net.connect', 'net.bind'),
  match: word,
  action: fc.constantFrom('allow' as const, 'deny' as const, 'kill' as const),
})

const token = fc.record({
  mechanism: fc.constant('linux-userns' as const),
  inside: identity,
  outside: fc.option(identity),
  hostname: fc.stringMatching(/^[a-z]{1,20}$/),
})
const filesystem = fc.record({
  mechanism: fc.constant('linux-view' as const),
  entries: fc.array(entry, { maxLength: 6 }),
  landlock: fc.option(fc.record({ read: fc.array(path, { maxLength: 3 }), write: fc.array(path, { maxLength: 3 }) })),
})
const network = fc.record({
  mechanism: fc.constant('linux-netns' as const),
  anyAddress: fc.boolean(),
  listeners: fc.array(fc.record({ protocol: fc.constantFrom('tcp' as const, 'udp' as const), port: fc.integer({ min: 1, max: 65_535 }) }), {
    maxLength: 5,
  }),
})

const parts = fc.oneof(
  fc.record({ token: token.map((value) => value), filesystem: fc.option(filesystem), network: fc.option(network) }),
  fc.constant({ token: null, filesystem: null, network: null }),
)

/** Every specification that the contract allows, in small. */
export const anySpec: fc.Arbitrary<LaunchSpec> = fc
  .tuple(
    parts,
    fc.record({
      command: fc.record({
        argv: fc.tuple(word, fc.array(text, { maxLength: 3 })).map(([first, rest]) => [first, ...rest]),
        directory: path,
        environment: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,8}$/), text, { maxKeys: 4 }),
      }),
      interception: fc.option(fc.record({ mechanism: fc.constant('linux-seccomp' as const), rules: fc.array(rule, { maxLength: 4 }) })),
      limits: fc.record({ processes: limit, openFiles: limit }),
    }),
  )
  .map(([walls, rest]) => ({ ...walls, ...rest }))

export const anyStdio: fc.Arbitrary<Stdio> = fc.oneof(
  fc.constant({ kind: 'pipes' as const }),
  fc.constant({ kind: 'inherit' as const }),
  fc.record({ kind: fc.constant('terminal' as const), columns: fc.nat(65_535), rows: fc.nat(65_535) }),
)
