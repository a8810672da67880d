import { describe, expect, test } from 'vitest'
import { interceptedActs, interceptionActions } from '../../../core/contracts/index.ts'
import type {
  ApplyContext,
  Attempt,
  Denial,
  Host,
  Intercepted,
  InterceptionRule,
  LaunchSpec,
  Outcome,
  PlanContext,
  Policy,
  Sandbox,
} from '../../../core/contracts/index.ts'
import none from '../../../plugins/intercept-none/index.ts'
import plugin from '../../../plugins/intercept-seccomp/index.ts'

const claims = [
  'namespaces-closed',
  'mounts-closed',
  'io-uring-closed',
  'kernel-interfaces-closed',
  'machine-control-closed',
  'terminal-injection-closed',
  'socket-families-closed',
  'devices-closed',
  'foreign-calls-closed',
]

function host(ok: boolean): Host {
  const can = () => Promise.resolve({ ok, level: 0, reason: ok ? '' : 'seccomp: EPERM' })
  return { platform: 'linux', uid: 1000, gid: 1000, home: '/home/u', can }
}

const context: PlanContext = {
  host: host(true),
  job: 'j',
  workspace: { path: '/w', gitDirectory: null, objectStores: [], owner: { uid: 1000, gid: 1000 } },
  availability: { usable: true, tier: 'full', detail: '' },
  capabilities: [],
}

function policy(interception: readonly InterceptionRule[]): Policy {
  return {
    filesystem: { read: [], write: [], deny: [] },
    network: { allow: [] },
    interception,
    limits: { timeMs: null, stallMs: null, outputBytes: null, processes: null, openFiles: null, temporaryBytes: null },
    environment: {},
  }
}

const spec: LaunchSpec = {
  command: { argv: ['true'], directory: '/w', environment: {} },
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

const sample: readonly InterceptionRule[] = [
  { on: 'file.delete', match: './dist', action: 'deny' },
  { on: 'process.exec', match: '/usr/bin/curl', action: 'kill' },
  { on: 'net.connect', match: '*:22', action: 'allow' },
]

function applied(rules: readonly InterceptionRule[], report: (denial: Denial) => void = () => undefined) {
  const apply: ApplyContext = {
    ...context,
    signal: new AbortController().signal,
    provided: {},
    record: () => Promise.reject(new Error('nothing to record')),
    report,
  }
  return plugin.apply(plugin.plan(policy(rules), {}, context), apply)
}

/** What the filter answers, said once more, by kinds instead of by list. */
function answerOf(name: string): string {
  if (name.startsWith('intercept:')) return 'EACCES'
  if (/^socket-(vsock|packet|alg)$/.test(name)) return 'EAFNOSUPPORT'
  if (name.startsWith('socket-netlink')) return 'EPROTONOSUPPORT'
  return /^(clone3|io_uring|open_tree|move_mount|fs|mount_setattr|keyctl|add_key|request_key|foreign)/.test(name) ? 'ENOSYS' : 'EPERM'
}

/** What a sandbox answers that has the filter (`wrong`: all but these). */
function answering(wrong: Readonly<Record<string, Outcome>>, tried: string[] = []) {
  return {
    attempt: (attempts: readonly Attempt[]) =>
      Promise.resolve(
        attempts.map((attempt): Outcome => {
          if (attempt.op !== 'syscall') throw new Error('only system calls are tried')
          tried.push(attempt.name)
          return wrong[attempt.name] ?? { ok: false, error: answerOf(attempt.name), value: null }
        }),
      ),
  }
}

describe('plan', () => {
  test('rules become native rules under their index, and what they ask for is claimed', () => {
    const plan = plugin.plan(policy(sample), {}, context)
    expect(plan.enforces.map(({ id }) => id)).toEqual([...claims, 'rules-answered'])
    expect({ ...plan, enforces: [] }).toEqual({
      plugin: 'intercept-seccomp',
      layer: 'interception',
      tier: 'full',
      enforces: [],
      unsupported: [],
      steps: [
        'closes system calls by a list of what ordinary programs use; what the list does not know fails with ENOSYS',
        'asks the supervisor about file.delete, process.exec, net.connect',
        'deny file.delete ./dist',
        'kill process.exec /usr/bin/curl',
        'allow net.connect *:22',
      ],
      data: {
        rules: [
          { id: 0, on: 'file.delete', match: '/w/dist', action: 'deny' },
          { id: 0, on: 'file.delete', match: '/w/dist/**', action: 'deny' },
          { id: 1, on: 'process.exec', match: '/usr/bin/curl', action: 'kill' },
          { id: 2, on: 'net.connect', match: '*:22', action: 'allow' },
        ],
      },
    })
  })

  test('no rules, no supervisor', () => {
    const plan = plugin.plan(policy([]), {}, context)
    expect([plan.enforces.map(({ id }) => id), plan.steps.length, plan.data]).toEqual([claims, 1, { rules: [] }])
  })

  test('every act and action is either carried out or listed in words', () => {
    const rules = interceptedActs.flatMap((on) => interceptionActions.map((action) => ({ on, match: '**', action })))
    const plan = plugin.plan(policy(rules), {}, context)
    const carried = (plan.data as { rules: { id: number }[] }).rules.map(({ id }) => id)
    expect(carried.length + plan.unsupported.length).toBe(rules.length)
    expect(new Set(carried.map((id) => rules[id]?.on))).toEqual(
      new Set(['file.write', 'file.delete', 'file.rename', 'file.chmod', 'process.exec', 'net.connect', 'net.bind']),
    )
    expect(new Set(carried.map((id) => rules[id]?.action))).toEqual(new Set(['allow', 'deny', 'kill']))
  })

  test('what is unsupported is said in words, and the rest is kept', () => {
    const plan = plugin.plan(
      policy([
        { on: 'registry.write', match: '**', action: 'deny' },
        { on: 'file.write', match: '/etc/**', action: 'redirect' },
        { on: 'file.write', match: 'etc', action: 'deny' },
        { on: 'net.connect', match: 'example.com:443', action: 'deny' },
        { on: 'file.write', match: '/etc/**', action: 'deny' },
      ]),
      {},
      context,
    )
    expect(plan.unsupported).toEqual([
      'interception rule 1 (deny registry.write "**"): registry.write has no meaning on Linux',
      'interception rule 2 (redirect file.write "/etc/**"): the action "redirect" is not offered by this layer yet',
      'interception rule 3 (deny file.write "etc"): the match is neither absolute nor starts with ./ or **',
      'interception rule 4 (deny net.connect "example.com:443"): the match is not address:port; system calls see addresses, host names are for network.allow',
    ])
    expect(plan.data).toEqual({ rules: [{ id: 4, on: 'file.write', match: '/etc/**', action: 'deny' }] })
  })
})

describe('probe', () => {
  test('asks the kernel', async () => {
    expect(await plugin.probe(host(true))).toEqual({ usable: true, tier: 'full', detail: expect.any(String) })
    expect(await plugin.probe(host(false))).toEqual({
      usable: false,
      reason: 'seccomp filter with a listener: seccomp: EPERM',
      remedy: expect.any(String),
    })
  })
})

describe('the applied layer', () => {
  test('adds its own part and nothing else', async () => {
    const layer = await applied(sample.slice(1))
    expect(layer.contribute(spec)).toEqual({
      ...spec,
      interception: {
        mechanism: 'linux-seccomp',
        rules: [
          { id: 1 - 1, on: 'process.exec', match: '/usr/bin/curl', action: 'kill' },
          { id: 2 - 1, on: 'net.connect', match: '*:22', action: 'allow' },
        ],
      },
    })
  })

  test('every claim of the plan has evidence, each call and each watched act once', async () => {
    const tried: string[] = []
    const evidence = await (await applied(sample)).verify(answering({}, tried))
    expect(evidence.map(({ claim, held }) => [claim, held])).toEqual([...claims, 'rules-answered'].map((id) => [id, true]))
    expect(new Set(tried).size).toBe(tried.length)
    expect(tried.filter((name) => name.startsWith('intercept:'))).toEqual([
      'intercept:file.delete',
      'intercept:process.exec',
      'intercept:net.connect',
    ])
    expect(evidence.at(-1)?.detail).toBe('intercept:file.delete EACCES, intercept:process.exec EACCES, intercept:net.connect EACCES')
  })

  test.each([
    ['chroot', { ok: true, error: null, value: null }, 'mounts-closed', 'chroot succeeded instead of EPERM'],
    ['mount', { ok: false, error: 'EFAULT', value: null }, 'mounts-closed', 'mount EFAULT instead of EPERM'],
    ['clone3-newuser', { ok: false, error: 'EPERM', value: null }, 'namespaces-closed', 'clone3-newuser EPERM instead of ENOSYS'],
    [
      'intercept:file.delete',
      { ok: false, error: 'ENOENT', value: null },
      'rules-answered',
      'intercept:file.delete ENOENT instead of EACCES',
    ],
  ] as const)('%s answered by somebody else is no evidence', async (name, outcome, claim, detail) => {
    const evidence = await (await applied(sample)).verify(answering({ [name]: outcome }))
    expect(evidence.filter(({ held }) => !held)).toEqual([{ claim, held: false, detail }])
  })

  test('a sandbox that answers too little proves nothing of the rest', async () => {
    const evidence = await (await applied(sample)).verify({ attempt: () => Promise.resolve([]) })
    expect(evidence.filter(({ held }) => held)).toEqual([])
  })

  test('events become denials with reason and remedy', async () => {
    const denials: Denial[] = []
    const layer = await applied(sample, (denial) => denials.push(denial))
    const listeners: ((event: Intercepted) => void)[] = []
    const sandbox: Pick<Sandbox, 'onIntercepted'> = { onIntercepted: (given) => void listeners.push(given) }
    await layer.attach?.(sandbox as Sandbox)
    expect(listeners.length).toBe(1)
    const event = { rule: 1, on: 'process.exec', object: '/usr/bin/"cu*rl"', pid: 7, program: 'sh', lost: 3 }
    for (const own of [{ action: 'kill' }, { action: 'deny', program: '' }, { action: 'allow', lost: 0 }] as const) {
      listeners[0]?.({ ...event, ...own })
    }
    const common = { layer: 'interception', plugin: 'intercept-seccomp', object: event.object, program: 'sh', lost: 3 }
    const remedy = String.raw`interception: [{ on: process.exec, match: "/usr/bin/\"cu\\*rl\"", action: allow }] before rule 2`
    expect(denials).toEqual([
      { ...common, action: 'kill', reason: 'rule_kill', remedy },
      { ...common, action: 'deny', reason: 'rule_deny', remedy, program: null },
      { ...common, action: 'allow', reason: 'rule_allow', remedy: null, lost: 0 },
    ])
  })
})

describe('intercept-none', () => {
  test('claims nothing, adds nothing and says that rules have no effect', async () => {
    const plan = none.plan(policy(sample), {}, context)
    expect(plan).toEqual({
      plugin: 'intercept-none',
      layer: 'interception',
      tier: 'none',
      enforces: [],
      unsupported: [],
      steps: ['every system call is open, nothing is reported', 'the interception rules have no effect'],
      data: null,
    })
    const layer = await none.apply(plan, {
      ...context,
      signal: new AbortController().signal,
      provided: {},
      record: () => Promise.reject(new Error('nothing to record')),
      report: () => undefined,
    })
    expect(layer.contribute(spec)).toBe(spec)
    expect(await layer.verify({ attempt: () => Promise.reject(new Error('nothing to try')) })).toEqual([])
  })
})
