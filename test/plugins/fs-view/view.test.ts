import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withSurroundings } from '../../../plugins/fs-view/environment.ts'
import { buildView, temporarySizes } from '../../../plugins/fs-view/view.ts'
import type { Shown, ViewFacts } from '../../../plugins/fs-view/view.ts'
import { hiddenInHome } from '../../../plugins/fs-view/verify.ts'

const facts: ViewFacts = {
  identity: { uid: 1000, gid: 1000 },
  system: {
    directories: [
      { path: '/usr', link: null, source: '/usr' },
      { path: '/bin', link: 'usr/bin', source: '/usr/bin' },
    ],
    configuration: [
      { path: '/etc/ssl/certs', link: null, source: '/etc/ssl/certs' },
      { path: '/etc/localtime', link: '/usr/share/zoneinfo/Etc/UTC', source: '/usr/share/zoneinfo/Etc/UTC' },
    ],
  },
  resolver: null,
  shell: '/bin/bash',
  sizes: { temporary: 300, home: 400, shared: 100 },
  shown: [],
  hidden: [],
  landlock: true,
}

const shown = (target: string, writable: boolean, owner: Shown['owner'] = null): Shown => ({ source: target, target, writable, owner })

test('the whole view of a job', () => {
  const root = { uid: 0, gid: 0 }
  const view = buildView({
    ...facts,
    shown: [
      { source: '/state/git', target: '/data/ws/.git', writable: true, owner: root },
      shown('/data/ws', true, root),
      shown('/repo/.git/objects', false, root),
      shown('/data', false),
    ],
    hidden: ['/data/ws/.env'],
  })
  expect(view).toEqual({
    mechanism: 'linux-view',
    entries: [
      { kind: 'bind', source: '/usr', target: '/usr', writable: false, owner: null, optional: true },
      { kind: 'symlink', target: '/bin', to: 'usr/bin' },
      { kind: 'directory', target: '/etc', mode: 0o755 },
      { kind: 'bind', source: '/etc/ssl/certs', target: '/etc/ssl/certs', writable: false, owner: null, optional: true },
      { kind: 'symlink', target: '/etc/localtime', to: '/usr/share/zoneinfo/Etc/UTC' },
      { kind: 'symlink', target: '/etc/mtab', to: '/proc/self/mounts' },
      {
        kind: 'file',
        target: '/etc/passwd',
        content:
          'root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
        mode: 0o644,
      },
      { kind: 'file', target: '/etc/group', content: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n', mode: 0o644 },
      {
        kind: 'file',
        target: '/etc/nsswitch.conf',
        content: 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
        mode: 0o644,
      },
      {
        kind: 'file',
        target: '/etc/hosts',
        content: '127.0.0.1 localhost bulkhead\n::1 localhost ip6-localhost ip6-loopback\n',
        mode: 0o644,
      },
      { kind: 'file', target: '/etc/resolv.conf', content: 'nameserver 198.18.0.1\n', mode: 0o644 },
      { kind: 'proc', target: '/proc' },
      { kind: 'dev', target: '/dev', shmBytes: 100 },
      { kind: 'directory', target: '/run', mode: 0o755 },
      { kind: 'directory', target: '/var', mode: 0o755 },
      { kind: 'tmpfs', target: '/tmp', sizeBytes: 300, mode: 0o1777 },
      { kind: 'symlink', target: '/var/tmp', to: '/tmp' },
      { kind: 'tmpfs', target: '/home/agent', sizeBytes: 400, mode: 0o700 },
      { kind: 'directory', target: '/home/agent/.cache', mode: 0o700 },
      { kind: 'directory', target: '/home/agent/.config', mode: 0o700 },
      { kind: 'directory', target: '/home/agent/.local/share', mode: 0o700 },
      { kind: 'directory', target: '/home/agent/.local/state', mode: 0o700 },
      { kind: 'bind', source: '/data', target: '/data', writable: false, owner: null, optional: false },
      { kind: 'bind', source: '/data/ws', target: '/data/ws', writable: true, owner: root, optional: false },
      { kind: 'bind', source: '/state/git', target: '/data/ws/.git', writable: true, owner: root, optional: false },
      { kind: 'bind', source: '/repo/.git/objects', target: '/repo/.git/objects', writable: false, owner: root, optional: false },
      { kind: 'hide', target: '/data/ws/.env' },
    ],
    landlock: { read: ['/'], write: ['/dev', '/tmp', '/home/agent', '/data/ws/.git', '/data/ws'] },
  })
})

test('no Landlock, the host’s own resolver, a workspace below /var/tmp', () => {
  const view = buildView({
    ...facts,
    landlock: false,
    resolver: [{ path: '/etc/resolv.conf', link: null, source: '/run/systemd/resolve/stub-resolv.conf' }],
    shown: [shown('/var/tmp/ws', true)],
  })
  expect(view.landlock).toBeNull()
  const about = view.entries.filter(({ target }) => ['/etc/resolv.conf', '/etc/hosts', '/var/tmp'].includes(target))
  expect(about).toEqual([
    {
      kind: 'bind',
      source: '/run/systemd/resolve/stub-resolv.conf',
      target: '/etc/resolv.conf',
      writable: false,
      owner: null,
      optional: true,
    },
  ])
})

test('whatever is shown, what is inside lies on top of what it is inside of', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 12 }), (paths) => {
      const { entries } = buildView({ ...facts, shown: paths.map((one) => shown(one, false)) })
      const order = entries.flatMap((entry) => (entry.kind === 'bind' && !entry.optional ? [entry.target] : []))
      expect(order.toSorted()).toEqual(paths.toSorted())
      for (const [index, one] of order.entries()) {
        expect(order.slice(0, index).filter((earlier) => earlier.startsWith(`${one}/`))).toEqual([])
      }
    }),
  )
})

test('three private filesystems hold the limit together, to the byte', () => {
  fc.assert(
    fc.property(fc.nat(), (limit) => {
      const { temporary, home, shared } = temporarySizes(limit, 1)
      expect(temporary + home + shared).toBe(limit)
    }),
  )
  expect(temporarySizes(null, 1001)).toEqual({ temporary: 500, home: 500, shared: 500 })
})

describe('environment', () => {
  const toolchains = { shown: [], path: ['/usr/bin', '/opt/node/bin'], variables: { PYENV_ROOT: '/opt/pyenv' } }
  const usual = {
    HOME: '/home/agent',
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/sh',
    TMPDIR: '/tmp',
    PYENV_ROOT: '/opt/pyenv',
  }

  test('of nothing', () => {
    const host = { LANG: 'de_DE.UTF-8', TERM: 'xterm', SECRET: 'token', HOME: '/root' }
    expect(withSurroundings({}, { toolchains, shell: '/bin/sh', host })).toEqual({
      ...usual,
      LANG: 'de_DE.UTF-8',
      TERM: 'xterm',
      PATH: '/usr/bin:/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin',
    })
  })

  test('what is set stays, and PATH is completed', () => {
    const given = { HOME: '/ws', LANG: 'C', PATH: '/ws/bin:/usr/bin' }
    expect(withSurroundings(given, { toolchains, shell: '/bin/sh', host: { LANG: 'de' } })).toEqual({
      ...usual,
      ...given,
      PATH: '/ws/bin:/usr/bin:/opt/node/bin',
    })
  })
})

describe('what is attacked in the home directory', () => {
  test.each<[string, string, readonly string[], readonly string[], readonly string[]]>([
    ['credentials first', '/home/u', ['.bashrc', 'src', '.ssh'], [], ['/home/u/.ssh', '/home/u/.bashrc', '/home/u/src']],
    ['not what is shown', '/home/u', ['.nvm', '.ssh'], ['/home/u/.nvm'], ['/home/u/.ssh']],
    ['not what is above something shown', '/home/u', ['.local', 'src', '.ssh'], ['/home/u/.local/bin', '/home/u/src/a'], ['/home/u/.ssh']],
    ['not what the view makes itself', '/home/agent', ['.config', '.ssh'], [], ['/home/agent/.ssh']],
    ['a home in a private directory', '/var/lib/ci', ['.ssh'], [], ['/var/lib/ci/.ssh']],
    ['a home that is the root', '/', ['etc', 'usr', 'tmp', 'secret'], [], ['/secret']],
    ['a home in the system', '/usr/home/u', ['.ssh'], [], []],
  ])('%s', (_name, home, names, targets, expected) => {
    expect(
      hiddenInHome(
        home,
        names,
        targets.map((target) => shown(target, false)),
      ),
    ).toEqual(expected)
  })
})
