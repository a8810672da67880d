import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agentIdCount, agentIdentity, firstAgentId, insideIdentity, mapsAgentIds } from '../../../plugins/token-userns/identity.ts'
import plugin from '../../../plugins/token-userns/index.ts'
import { tokenAttacks } from '../../../plugins/token-userns/verify.ts'
import type { Host, Outcome, UserNamespaceToken } from '../../../core/contracts/index.ts'
import { applyContext, emptyPolicy, enterRequest, fakeHost, planContext } from '../../support/fake-request.ts'

const { workspace, job } = enterRequest()
const policy = { ...emptyPolicy, limits: { ...emptyPolicy.limits, processes: 64, openFiles: 256 } }
const planned = (host: Host, options: unknown = {}) =>
  plugin.plan(policy, plugin.options.parse(options), planContext({ host, job, workspace }))

const claims = [
  { id: 'no-capabilities', text: 'The agent has no capability and can gain none.' },
  { id: 'no-new-privileges', text: 'No program that it starts gains privileges (set-id bits, file capabilities).' },
  { id: 'not-host-root', text: 'It is not root, neither as it sees itself nor for the kernel’s settings.' },
  { id: 'no-set-id-files', text: 'It can leave no file behind that runs as its owner for whoever starts it (set-id bits).' },
  { id: 'own-pid-namespace', text: 'It sees no process but its own, and its tree ends with its first process.' },
  { id: 'host-processes-untouchable', text: 'It can signal no process outside the sandbox.' },
  { id: 'own-session', text: 'It has a session of its own and no way to the caller’s terminal through it.' },
]

test('the whole plan of an ordinary user', () => {
  expect(planned(fakeHost)).toEqual({
    plugin: 'token-userns',
    layer: 'token',
    tier: 'full',
    enforces: claims,
    unsupported: [],
    steps: [
      'user namespace of its own: uid 1000 inside is your own uid for the kernel',
      'pid, ipc, uts and cgroup namespaces of its own, host name "bulkhead"',
      'no capabilities, no_new_privs, own session and keyring, no inherited descriptors',
      'no set-id bits on files, no core files, also not for a handler of the host',
      'your supplementary groups stay: an ordinary user cannot drop them',
      'at most 64 processes and threads',
      'at most 256 open files in a process',
    ],
    data: { inside: { uid: 1000, gid: 1000 }, outside: 'own', hostname: 'bulkhead' },
  })
})

test('the whole plan of root: a kernel uid of its own, and no groups', () => {
  expect(planned({ ...fakeHost, uid: 0, gid: 0 }, { hostname: 'box' })).toEqual({
    plugin: 'token-userns',
    layer: 'token',
    tier: 'full',
    enforces: [...claims, { id: 'no-groups', text: 'It is in no supplementary group.' }],
    unsupported: [],
    steps: [
      'user namespace of its own: uid 1000 inside is a random unassigned uid for the kernel',
      'pid, ipc, uts and cgroup namespaces of its own, host name "box"',
      'no capabilities, no_new_privs, own session and keyring, no inherited descriptors',
      'no set-id bits on files, no core files, also not for a handler of the host',
      'at most 64 processes and threads',
      'at most 256 open files in a process',
    ],
    data: { inside: { uid: 1000, gid: 1000 }, outside: 'random', hostname: 'box' },
  })
})

describe('identities', () => {
  test('every offset gives an id of the unassigned range, never root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: agentIdCount - 1 }), (random) => {
        const { uid, gid } = agentIdentity(random)
        expect(uid).toBe(gid)
        expect(uid).toBeGreaterThanOrEqual(0x7000_0000)
        expect(uid).toBeLessThanOrEqual(0x7fff_ffff)
      }),
    )
  })

  test.each([-1, agentIdCount, 0.5, Number.NaN])('%s is no offset', (random) => {
    expect(() => agentIdentity(random)).toThrow(RangeError)
  })

  test.each([
    [
      { uid: 0, gid: 0 },
      { uid: 1000, gid: 1000 },
    ],
    [
      { uid: 0, gid: 7 },
      { uid: 1000, gid: 1000 },
    ],
    [
      { uid: 1234, gid: 99 },
      { uid: 1234, gid: 99 },
    ],
    [
      { uid: null, gid: null },
      { uid: 1000, gid: 1000 },
    ],
  ])('%o is %o inside', (host, identity) => {
    expect(insideIdentity(host)).toEqual(identity)
  })

  test.each([
    ['         0          0 4294967295\n', true],
    ['         0     100000      65536\n', false],
    ['0 1000 1\n1 100000 65536\n', false],
    [`${firstAgentId} 5 ${agentIdCount}\n`, true],
    [`${firstAgentId} 5 ${agentIdCount - 1}\n`, false],
    ['', false],
    ['nonsense\n', false],
  ])('the map %o holds every agent id: %s', (map, holds) => {
    expect(mapsAgentIds(map)).toBe(holds)
  })
})

describe('applying', () => {
  const apply = async (host: Host): Promise<UserNamespaceToken> => {
    const applied = await plugin.apply(planned(host), applyContext({ host, job, workspace, record: async () => undefined }))
    const spec = applied.contribute({
      command: enterRequest().command,
      token: null,
      filesystem: null,
      network: null,
      interception: null,
      limits: { processes: null, openFiles: null },
    })
    await applied[Symbol.asyncDispose]()
    return spec.token as UserNamespaceToken
  }

  test('root: each application has another kernel identity', async () => {
    const root = { ...fakeHost, uid: 0, gid: 0 }
    const parts = [await apply(root), await apply(root)]
    expect(new Set(parts.map(({ outside }) => outside?.uid)).size).toBe(2)
    for (const part of parts) expect(part).toEqual({ ...part, inside: { uid: 1000, gid: 1000 }, hostname: 'bulkhead' })
  })

  test('an ordinary user keeps the own identity', async () => {
    expect(await apply(fakeHost)).toEqual({
      mechanism: 'linux-userns',
      inside: { uid: 1000, gid: 1000 },
      outside: null,
      hostname: 'bulkhead',
    })
  })
})

describe('evidence', () => {
  const part: UserNamespaceToken = {
    mechanism: 'linux-userns',
    inside: { uid: 1000, gid: 1000 },
    outside: { uid: 1_900_000_000, gid: 1_900_000_000 },
    hostname: 'bulkhead',
  }
  const good: Record<string, string> = {
    CapInh: '0000000000000000',
    CapPrm: '0000000000000000',
    CapEff: '0000000000000000',
    CapBnd: '0000000000000000',
    CapAmb: '0000000000000000',
    NoNewPrivs: '1',
    Uid: '1000\t1000\t1000\t1000',
    ids: '1000 1000 |       1000 1900000000          1 |       1000 1900000000          1',
    NSsid: '2',
    Groups: '',
  }
  const attacks = tokenAttacks(part, { hostPids: [4242, 2], ownHostPid: 5000 })

  const filter = (name: string): Outcome => ({ ok: false, error: name === 'openat2' ? 'ENOSYS' : 'EPERM', value: null })

  function held(
    answers: Readonly<Record<string, string>>,
    others: Outcome = { ok: false, error: 'ESRCH', value: null },
    call: (name: string) => Outcome = filter,
  ) {
    const answer = (name: string): Outcome => ({ ok: true, error: null, value: answers[name] ?? '' })
    const refused: Outcome = { ok: false, error: 'EACCES', value: null }
    return Object.fromEntries(
      attacks.map(({ claim, attempts, judge }) => [
        claim,
        judge(
          attempts.map((one) => {
            if (one.op === 'status') return answer(one.field)
            if (one.op === 'syscall') return call(one.name)
            return one.op === 'signal' ? others : refused
          }),
        ).held,
      ]),
    )
  }

  const all = Object.fromEntries([...claims.map(({ id }) => id), 'no-groups'].map((id) => [id, true]))

  test('a sandbox as it should be holds every claim', () => {
    expect(held(good)).toEqual(all)
  })

  test('a pid too small to tell is not tried', () => {
    expect(attacks.flatMap(({ attempts }) => attempts).filter(({ op }) => op === 'signal')).toEqual(
      [5000, 4242, 5000].map((pid) => ({ op: 'signal', pid })),
    )
  })

  test.each<[string, Record<string, string>, string]>([
    ['one capability in the bounding set', { CapBnd: '0000000000000001' }, 'no-capabilities'],
    ['no line of capabilities', { CapEff: '' }, 'no-capabilities'],
    ['new privileges', { NoNewPrivs: '0' }, 'no-new-privileges'],
    ['a saved uid of root', { Uid: '1000\t1000\t0\t1000' }, 'not-host-root'],
    ['another kernel uid', { ids: '1000 1000 | 1000 0 1 | 1000 0 1' }, 'not-host-root'],
    ['a session from outside', { NSsid: '0' }, 'own-session'],
    ['a group', { Groups: '27 ' }, 'no-groups'],
  ])('%s does not hold', (_name, change, claim) => {
    expect(held({ ...good, ...change })).toEqual({ ...all, [claim]: false })
  })

  test.each(['set-id-fchmod', 'set-gid-fchmod', 'set-id-tmpfile', 'openat2'])(
    '%s that the kernel answers, and not the filter, does not hold',
    (name) => {
      const open = (call: string): Outcome => (call === name ? { ok: false, error: 'EBADF', value: null } : filter(call))
      expect(held(good, undefined, open)).toEqual({ ...all, 'no-set-id-files': false })
    },
  )

  test('a process that exists but may not be signalled is not invisible', () => {
    expect(held(good, { ok: false, error: 'EPERM', value: null })).toEqual({
      ...all,
      'own-pid-namespace': false,
      'host-processes-untouchable': false,
    })
  })
})
