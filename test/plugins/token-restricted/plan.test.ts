import { describe, expect, test } from 'vitest'
import type { Evidence, Host, Outcome, RestrictedToken } from '../../../core/contracts/index.ts'
import { launchSid } from '../../../plugins/_windows-token/part.ts'
import { tokenClaims, tokenData } from '../../../plugins/_windows-token/plan.ts'
import { tokenAttacks } from '../../../plugins/_windows-token/verify.ts'
import plugin from '../../../plugins/token-restricted/index.ts'
import { emptyPolicy, enterRequest, fakeHost } from '../../support/fake-request.ts'

const { workspace, job } = enterRequest()
const windows: Host = { ...fakeHost, platform: 'win32', uid: null, gid: null }
const availability = { usable: true, tier: 'full', detail: '' } as const
const planned = (options: unknown = {}, policy = emptyPolicy) =>
  plugin.plan(policy, plugin.options.parse(options), { host: windows, job, workspace, availability, capabilities: [] })

const claims = [
  { id: 'privileges-removed', text: 'It has no privilege but that of passing through directories, and can enable no other.' },
  { id: 'groups-deny-only', text: 'Groups with power over the machine count only where they deny.' },
  { id: 'born-in-job', text: 'Every process of it is in a job object that ends with Bulkhead, and none can be started outside.' },
  { id: 'supervisor-closed', text: 'Bulkhead’s own processes are closed to it, their memory and their tokens too.' },
  { id: 'own-objects', text: 'What it makes is guarded with the SID of this launch, which no other agent has.' },
]

test('the whole plan without options', () => {
  expect(planned()).toEqual({
    plugin: 'token-restricted',
    layer: 'token',
    tier: 'full',
    enforces: [
      ...claims,
      { id: 'host-processes-closed', text: 'It can change, read and end no process outside its own.' },
      { id: 'access-checked-twice', text: 'Each access must be granted to the user and to the SIDs of this job as well.' },
      { id: 'low-integrity', text: 'It runs at low integrity, below everything of the user.' },
      { id: 'own-desktop', text: 'It is on a desktop of its own.' },
    ],
    unsupported: [],
    steps: [
      'restricted token: privileges removed, powerful groups deny-only, restricting SIDs of the workspace, of this launch, Users and RESTRICTED',
      'both halves of each access check apply to reading too',
      'low integrity; what it makes belongs to this launch',
      'job object: ends with Bulkhead, cannot be left; a window station and a desktop of its own',
      'at most 64 processes',
    ],
    data: { tier: 'blind', integrity: 'low', privateDesktop: true, sessionObjects: false, memoryBytes: null, cpuPercent: null },
  })
})

test('the whole plan of a token that reads as its user', () => {
  const limits = { ...emptyPolicy.limits, processes: 64, openFiles: 256 }
  const policy = { ...emptyPolicy, limits, filesystem: { ...emptyPolicy.filesystem, deny: ['secret'] } }
  const options = { tier: 'write-restricted', privateDesktop: false, memory: 512, cpu: 50 }
  expect(planned(options, policy)).toEqual({
    plugin: 'token-restricted',
    layer: 'token',
    tier: 'partial',
    enforces: [
      ...claims,
      { id: 'host-processes-unchangeable', text: 'It can change no process outside its own.' },
      { id: 'changes-checked-twice', text: 'Each change must be granted to the user and to the SIDs of this job as well.' },
    ],
    unsupported: ['filesystem.deny "secret": a write-restricted token reads what its user can read'],
    steps: [
      'restricted token: privileges removed, powerful groups deny-only, restricting SIDs of the workspace, of this launch, Users and RESTRICTED',
      'the second half of each access check applies to changes',
      'medium integrity; what it makes belongs to this launch',
      'job object: ends with Bulkhead, cannot be left',
      'at most 64 processes',
      'a process with more than 256 handles is ended; it is looked at twice a second',
      'at most 512 MiB of memory',
      'at most 50 % of the processors',
      'not held: it reads all that its user can read, memory of programs included',
      'not held: it can end programs of its user',
      'not held: it may write where every user of the machine may',
      'not held: it shares the desktop of whoever started Bulkhead',
    ],
    data: {
      tier: 'write-restricted',
      integrity: 'medium',
      privateDesktop: false,
      sessionObjects: false,
      memoryBytes: 536_870_912,
      cpuPercent: 50,
    },
  })
})

test.each([
  [{}, 'full'],
  [{ integrity: 'medium' }, 'partial'],
  [{ privateDesktop: false }, 'partial'],
  [{ sessionObjects: true }, 'partial'],
  [{ tier: 'write-restricted', integrity: 'low' }, 'partial'],
])('with %o the tier is %s', (options, tier) => {
  expect(planned(options).tier).toBe(tier)
})

test.each([{ tier: 'open' }, { memory: 1 }, { memory: 64.5 }, { cpu: 0 }, { cpu: 101 }, { restricting: ['S-1-1-0'] }])(
  'refuses %o',
  (options) => {
    expect(plugin.options.safeParse(options).success).toBe(false)
  },
)

describe('availability', () => {
  const probed = (answers: Readonly<Record<string, boolean>>) =>
    plugin.probe({ ...windows, can: (feature) => Promise.resolve({ ok: answers[feature] === true, level: 0, reason: 'no' }) })

  test('on another system', async () => {
    expect(await plugin.probe(fakeHost)).toMatchObject({ usable: false, reason: 'restricted tokens are a feature of Windows' })
  })

  test('where the system only pretends', async () => {
    expect(await probed({ 'job-object': true })).toMatchObject({ usable: false, reason: 'restricted-token: no' })
    expect(await probed({ 'restricted-token': true })).toMatchObject({ usable: false, reason: 'job-object: no' })
  })

  test('where it works', async () => {
    expect(await probed({ 'job-object': true, 'restricted-token': true })).toMatchObject({ usable: true, tier: 'full' })
  })
})

describe('applying', () => {
  const apply = async (options: unknown): Promise<RestrictedToken> => {
    const context = {
      host: windows,
      job,
      workspace,
      signal: new AbortController().signal,
      provided: {},
      record: async () => undefined,
      report: () => undefined,
    }
    const applied = await plugin.apply(planned(options), context)
    const limits = { processes: null, openFiles: null }
    const spec = applied.contribute({
      command: enterRequest().command,
      token: null,
      filesystem: null,
      network: null,
      interception: null,
      limits,
    })
    await applied[Symbol.asyncDispose]()
    return spec.token as RestrictedToken
  }

  test('each launch has a SID of its own, and no account', async () => {
    const parts = [await apply({}), await apply({})]
    expect(new Set(parts.map((part) => part.launchSid)).size).toBe(2)
    for (const part of parts) {
      expect(part).toEqual({
        mechanism: 'windows-restricted',
        tier: 'blind',
        launchSid: part.launchSid,
        restricting: ['S-1-5-32-545', 'S-1-5-12'],
        integrity: 'low',
        privateDesktop: true,
        memoryBytes: null,
        cpuPercent: null,
        account: null,
      })
      expect(part.launchSid).toMatch(/^S-1-5-21(-\d+){4}$/)
    }
  })

  test('the logon is only there when asked for', async () => {
    expect((await apply({ sessionObjects: true })).restricting).toEqual(['S-1-5-32-545', 'S-1-5-12', 'logon'])
  })

  test('a SID is all of its 16 bytes', () => {
    expect(launchSid(Buffer.alloc(16))).toBe('S-1-5-21-0-0-0-0')
    expect(launchSid(Buffer.alloc(16, 0xff))).toBe(`S-1-5-21${'-4294967295'.repeat(4)}`)
  })
})

describe('evidence', () => {
  const own = 'S-1-5-21-1-2-3-4'
  const workspaceSid = 'S-1-5-21-9-9-9-9'
  const part = (options: unknown): RestrictedToken => ({
    mechanism: 'windows-restricted',
    ...tokenData(plugin.options.parse(options)),
    launchSid: own,
    restricting: ['S-1-5-32-545', 'S-1-5-12'],
    account: null,
  })
  const good: Readonly<Record<string, string>> = {
    privileges: 'SeChangeNotifyPrivilege',
    'powerful-groups': '',
    job: '0x2400',
    'default-dacl': `D:(A;;GA;;;SY)(A;;GA;;;S-1-5-21-5-5-5-1001)(A;;GA;;;${own})`,
    restricted: 'yes',
    'restricting-sids': `${workspaceSid} ${own} S-1-5-32-545 S-1-5-12`,
    integrity: '4096',
    desktop: `Service-0x0-3e7$\\bulkhead-${'0'.repeat(32)}`,
  }
  const refusal = (error: string): Outcome => ({ ok: false, error, value: null })
  const success: Outcome = { ok: true, error: null, value: null }

  function held(
    answers: Readonly<Record<string, string>>,
    { options = {}, calls = {} }: { options?: unknown; calls?: Readonly<Record<string, Outcome>> } = {},
  ): Record<string, boolean> {
    const data = tokenData(plugin.options.parse(options))
    const prey = { orchestrator: 10, supervisor: 20, bystander: 30 }
    const attacks = tokenAttacks({ part: part(options), claims: tokenClaims(data).map(({ id }) => id), prey })
    return Object.fromEntries(
      attacks.map(({ claim, attempts, judge }): [string, Evidence['held']] => {
        const outcomes = attempts.map((attempt): Outcome => {
          if (attempt.op === 'status') return { ok: true, error: null, value: answers[attempt.field] ?? null }
          const name = attempt.op === 'syscall' ? attempt.name : attempt.op === 'signal' ? `signal ${attempt.pid}` : ''
          return calls[name] ?? refusal(name.startsWith('privilege ') ? 'EPERM' : 'EACCES')
        })
        return [claim, judge(outcomes).held]
      }),
    )
  }

  const failing = (verdicts: Record<string, boolean>): string[] => Object.keys(verdicts).filter((claim) => !verdicts[claim])

  test('a sandbox as it should be holds every claim', () => {
    expect(failing(held(good))).toEqual([])
    expect(failing(held({ ...good, integrity: '8192' }, { options: { tier: 'write-restricted' } }))).toEqual([])
  })

  test('a filesystem layer may be missing, and with it the first SID', () => {
    expect(failing(held({ ...good, 'restricting-sids': `${own} S-1-5-32-545 S-1-5-12` }))).toEqual([])
  })

  test.each<[string, Record<string, string>, string]>([
    ['one more privilege', { privileges: 'SeChangeNotifyPrivilege SeDebugPrivilege' }, 'privileges-removed'],
    ['no privileges named', { privileges: '' }, 'privileges-removed'],
    ['an administrator', { 'powerful-groups': 'S-1-5-32-544' }, 'groups-deny-only'],
    ['a job that can be left', { job: '0x2C00' }, 'born-in-job'],
    ['a job that is left silently', { job: '0x3400' }, 'born-in-job'],
    ['no job', { job: 'none' }, 'born-in-job'],
    ['an unrestricted token', { restricted: 'no' }, 'access-checked-twice'],
    ['Everyone besides', { 'restricting-sids': `${own} S-1-5-32-545 S-1-5-12 S-1-1-0` }, 'access-checked-twice'],
    ['Everyone before', { 'restricting-sids': `S-1-1-0 ${own} S-1-5-32-545 S-1-5-12` }, 'access-checked-twice'],
    ['another launch', { 'restricting-sids': 'S-1-5-21-6-6-6-6 S-1-5-32-545 S-1-5-12' }, 'access-checked-twice'],
    ['no restricting SIDs', { 'restricting-sids': '' }, 'access-checked-twice'],
    ['medium integrity', { integrity: '8192' }, 'low-integrity'],
    ['no integrity', { integrity: '' }, 'low-integrity'],
    ['the user’s desktop', { desktop: 'WinSta0\\Default' }, 'own-desktop'],
    ['objects for everybody', { 'default-dacl': `D:(A;;GA;;;WD)(A;;GA;;;${own})` }, 'own-objects'],
    ['objects for nobody of this launch', { 'default-dacl': 'D:(A;;GA;;;SY)(A;;GA;;;S-1-5-21-5-5-5-1001)' }, 'own-objects'],
    ['no default list', { 'default-dacl': '' }, 'own-objects'],
  ])('%s does not hold', (_name, change, claim) => {
    expect(failing(held({ ...good, ...change }))).toEqual([claim])
  })

  test.each<[string, Record<string, Outcome>, readonly string[]]>([
    ['a privilege can be enabled', { 'privilege SeDebugPrivilege': success }, ['privileges-removed']],
    ['the job can be left', { breakaway: success }, ['born-in-job']],
    ['a process could not be started at all', { breakaway: refusal('ENOENT') }, ['born-in-job']],
    ['a stranger can be ended', { 'signal 30': success }, ['host-processes-closed']],
    ['a stranger can be read', { 'read-process 30': success }, ['host-processes-closed']],
    ['a stranger is not there', { 'signal 30': refusal('EINVAL') }, ['host-processes-closed']],
    ['the orchestrator can be read', { 'read-process 10': success }, ['supervisor-closed']],
    ['the launcher’s token can be had', { 'open-token 20': success }, ['supervisor-closed']],
  ])('%s: does not hold', (_name, calls, claims_) => {
    expect(failing(held(good, { calls }))).toEqual(claims_)
  })
})
