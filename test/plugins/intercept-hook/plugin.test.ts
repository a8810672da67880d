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
  Question,
  Sandbox,
} from '../../../core/contracts/index.ts'
import plugin from '../../../plugins/intercept-hook/index.ts'

function host(ok: boolean): Host {
  const can = () => Promise.resolve({ ok, level: 0, reason: ok ? '' : 'loading the hook: win32 126' })
  return { platform: 'win32', uid: null, gid: null, home: 'C:\\Users\\u', can }
}

const context: PlanContext = {
  host: host(true),
  job: 'j',
  workspace: { path: 'C:\\w', gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } },
  availability: { usable: true, tier: 'partial', detail: '' },
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
  command: { argv: ['cmd.exe'], directory: 'C:\\w', environment: {} },
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

const sample: readonly InterceptionRule[] = [
  { on: 'file.delete', match: './dist', action: 'deny' },
  { on: 'file.write', match: '**/*.log', action: 'redirect', target: './all.log' },
  { on: 'registry.write', match: 'HKCU/Software/**', action: 'emulate' },
  { on: 'process.exec', match: '**/curl.exe', action: 'ask' },
]

const options = { wow64: 'refuse', askTimeout: 60 } as const
const planOf = (rules: readonly InterceptionRule[]) => plugin.plan(policy(rules), options, context)

function applied(rules: readonly InterceptionRule[], more: Partial<ApplyContext> = {}) {
  const apply: ApplyContext = {
    ...context,
    provided: {},
    signal: new AbortController().signal,
    record: () => Promise.reject(new Error('nothing to record')),
    report: () => undefined,
    ...more,
  }
  return plugin.apply(planOf(rules), apply)
}

const nativeRules = [
  { id: 0, on: 'file.delete', match: String.raw`C:\w\dist`, action: 'deny', target: null },
  { id: 0, on: 'file.delete', match: String.raw`C:\w\dist\**`, action: 'deny', target: null },
  { id: 1, on: 'file.write', match: String.raw`**\*.log`, action: 'redirect', target: String.raw`C:\w\all.log` },
  { id: 2, on: 'registry.write', match: String.raw`HKCU\Software\**`, action: 'emulate', target: null },
  { id: 3, on: 'process.exec', match: String.raw`**\curl.exe`, action: 'ask', target: null },
]

/** What a sandbox answers that has the hook with this many rules (`wrong`: all but these). */
function answering(rules: number, wrong: Readonly<Record<string, Outcome>> = {}, tried: string[] = []) {
  return {
    attempt: (attempts: readonly Attempt[]) =>
      Promise.resolve(
        attempts.map((attempt): Outcome => {
          const name = attempt.op === 'status' ? attempt.field : attempt.op === 'syscall' ? attempt.name : '?'
          tried.push(`${attempt.op} ${name}`)
          const right: Outcome =
            attempt.op === 'status'
              ? { ok: true, error: null, value: `ready hooks=20 rules=${rules}` }
              : { ok: false, error: 'EACCES', value: null }
          return wrong[name] ?? right
        }),
      ),
  }
}

describe('plan', () => {
  test('rules become native rules under their index, and what they ask for is claimed', () => {
    expect(planOf(sample)).toEqual({
      plugin: 'intercept-hook',
      layer: 'interception',
      tier: 'partial',
      enforces: [
        { id: 'hook-in-place', text: expect.any(String) },
        { id: 'rules-answered', text: expect.any(String) },
      ],
      unsupported: [],
      steps: [
        'a DLL in every process of the tree hooks the start of processes, file.delete, file.write, registry.write, process.exec',
        '32-bit programs are not started',
        'questions without an answer within 60 s are answered no',
        expect.stringMatching(/^not held: /),
        'deny file.delete ./dist',
        'redirect file.write **/*.log → ./all.log',
        'emulate registry.write HKCU/Software/**',
        'ask process.exec **/curl.exe',
      ],
      data: { rules: nativeRules, wow64: 'refuse', askTimeoutMs: 60_000 },
    })
  })

  test('without rules it only enters processes, and claims only that', async () => {
    const plan = planOf([])
    expect(plan.enforces.map(({ id }) => id)).toEqual(['hook-in-place'])
    expect(plan.steps[0]).toBe('a DLL in every process of the tree hooks the start of processes')
    const layer = await applied([])
    expect(layer.contribute(spec).interception).toMatchObject({ mechanism: 'windows-hook', rules: [] })
    expect(await layer.verify(answering(0))).toEqual([
      { claim: 'hook-in-place', held: true, detail: 'hook: ready hooks=20 rules=0, 0 rules expected' },
    ])
  })

  test('options are seen', () => {
    const plan = plugin.plan(policy(sample), { wow64: 'report', askTimeout: 5 }, context)
    expect(plan.steps).toContain('32-bit programs run unwatched, and each start is recorded')
    expect(plan.data).toMatchObject({ wow64: 'report', askTimeoutMs: 5000 })
    expect(plugin.options.parse({})).toEqual(options)
    expect(() => plugin.options.parse({ askTimeout: 0 })).toThrow()
    expect(() => plugin.options.parse({ wow64: 'allow' })).toThrow()
  })

  test('every act is watched, with every answer that means something for it', () => {
    const makesSense: Record<string, readonly string[]> = {
      emulate: [
        'file.write',
        'file.delete',
        'file.rename',
        'file.chmod',
        'process.signal',
        'registry.write',
        'registry.delete',
        'system.change',
      ],
      redirect: ['file.write', 'process.exec', 'net.connect'],
    }
    for (const on of interceptedActs) {
      for (const action of interceptionActions) {
        const target = on.startsWith('net.') ? '127.0.0.1:80' : 'C:\\t'
        const match = on.startsWith('registry.') ? 'HKCU' : '**'
        const { unsupported } = planOf([{ on, match, action, ...(action === 'redirect' ? { target } : {}) }])
        const supported = makesSense[action]?.includes(on) ?? true
        expect(unsupported).toEqual(
          supported ? [] : [`interception rule 1 (${action} ${on} "${match}"): the action "${action}" makes no sense for ${on}`],
        )
      }
    }
  })

  test('what cannot be expressed is said, and the rest keeps its number', () => {
    const plan = planOf([
      { on: 'file.write', match: '/etc/**', action: 'deny' },
      { on: 'net.connect', match: 'example.com:443', action: 'deny' },
      { on: 'file.write', match: '**', action: 'redirect', target: 'x' },
      { on: 'registry.write', match: 'Software', action: 'deny' },
      { on: 'file.write', match: './x/**', action: 'deny' },
    ])
    expect(plan.unsupported).toEqual([
      String.raw`interception rule 1 (deny file.write "/etc/**"): the match neither starts with a drive, \\server, ./ or **`,
      'interception rule 2 (deny net.connect "example.com:443"): the match is not address:port; system calls see addresses, host names are for network.allow',
      'interception rule 3 (redirect file.write "**"): the target is not absolute',
      'interception rule 4 (deny registry.write "Software"): the match neither starts with HKLM, HKCU, HKU or HKA, nor with **',
    ])
    expect(plan.data).toMatchObject({ rules: [{ id: 4, match: String.raw`C:\w\x\**` }] })
  })
})

test('the probe asks the machine', async () => {
  expect(await plugin.probe(host(true))).toEqual({ usable: true, tier: 'partial', detail: expect.any(String) })
  expect(await plugin.probe(host(false))).toEqual({
    usable: false,
    reason: 'bringing the hook into a process: loading the hook: win32 126',
    remedy: expect.any(String),
  })
})

describe('the applied layer', () => {
  test('adds its own part and nothing else', async () => {
    expect((await applied(sample)).contribute(spec)).toEqual({
      ...spec,
      interception: { mechanism: 'windows-hook', rules: nativeRules, wow64: 'refuse', askTimeoutMs: 60_000 },
    })
  })

  test('every claim of the plan has evidence, each watched act once', async () => {
    const tried: string[] = []
    const evidence = await (await applied(sample)).verify(answering(5, {}, tried))
    expect(evidence).toEqual([
      { claim: 'hook-in-place', held: true, detail: 'hook: ready hooks=20 rules=5, 5 rules expected' },
      { claim: 'rules-answered', held: true, detail: expect.stringContaining('syscall intercept:file.delete: EACCES') },
    ])
    expect(tried).toEqual([
      'status hook',
      'syscall intercept:file.delete',
      'syscall intercept:file.write',
      'syscall intercept:registry.write',
      'syscall intercept:process.exec',
    ])
  })

  test.each([
    ['hook', { ok: true, error: null, value: 'none' }, 'hook-in-place'],
    ['hook', { ok: true, error: null, value: 'ready hooks=20 rules=4' }, 'hook-in-place'],
    ['hook', { ok: true, error: null, value: 'ready hooks=0 rules=5' }, 'hook-in-place'],
    ['hook', { ok: false, error: 'ENOENT', value: null }, 'hook-in-place'],
    ['intercept:file.delete', { ok: false, error: 'ENOENT', value: null }, 'rules-answered'],
    ['intercept:file.delete', { ok: false, error: 'win32 1003', value: null }, 'rules-answered'],
    ['intercept:process.exec', { ok: true, error: null, value: null }, 'rules-answered'],
  ] as const)('%s with %j is no evidence', async (name, outcome, claim) => {
    const evidence = await (await applied(sample)).verify(answering(5, { [name]: outcome }))
    expect(evidence.filter(({ held }) => !held).map((one) => one.claim)).toEqual([claim])
  })

  test('a sandbox that answers too little proves nothing', async () => {
    const evidence = await (await applied(sample)).verify({ attempt: () => Promise.resolve([]) })
    expect(evidence.filter(({ held }) => held)).toEqual([])
  })

  test('events become denials with reason and remedy', async () => {
    const denials: Denial[] = []
    const layer = await applied(sample, { report: (denial) => void denials.push(denial) })
    const listeners: ((event: Intercepted) => void)[] = []
    const sandbox: Pick<Sandbox, 'onIntercepted'> = { onIntercepted: (given) => void listeners.push(given) }
    await layer.attach?.(sandbox as Sandbox)
    const event = { rule: 1, on: 'file.write', object: String.raw`C:\a "b".log`, pid: 7, program: 'node.exe', lost: 3 }
    for (const own of [
      { action: 'deny' },
      { action: 'kill', program: '' },
      { action: 'emulate' },
      { action: 'redirect' },
      { action: 'allow', lost: 0 },
      { action: 'deny', rule: 0xffff_ffff },
      { action: 'allow', rule: 0xffff_ffff },
    ] as const) {
      listeners[0]?.({ ...event, ...own })
    }
    const common = { layer: 'interception', plugin: 'intercept-hook', object: event.object, program: 'node.exe', lost: 3 }
    const remedy = String.raw`interception: [{ on: file.write, match: "C:\\a \"b\".log", action: allow }] before rule 2`
    expect(denials).toEqual([
      { ...common, action: 'deny', reason: 'rule_deny', remedy },
      { ...common, action: 'kill', reason: 'rule_kill', remedy, program: null },
      { ...common, action: 'emulate', reason: 'rule_emulate', remedy },
      { ...common, action: 'redirect', reason: 'rule_redirect', remedy },
      { ...common, action: 'allow', reason: 'rule_allow', remedy: null, lost: 0 },
      { ...common, action: 'deny', reason: 'child_not_watched', remedy: expect.stringContaining('wow64: report') },
      { ...common, action: 'allow', reason: 'child_32_bit', remedy: null },
    ])
  })

  test('questions go to whoever can be asked, and to nobody otherwise', async () => {
    const question: Question = { rule: 3, on: 'process.exec', object: 'C:\\curl.exe', pid: 7, program: 'cmd.exe' }
    const asked: ((question: Question) => Promise<boolean>)[] = []
    const sandbox: Pick<Sandbox, 'onIntercepted' | 'onAsked'> = {
      onIntercepted: () => undefined,
      onAsked: (listener) => void asked.push(listener),
    }
    await (await applied(sample)).attach?.(sandbox as Sandbox)
    expect(asked).toEqual([])
    await (await applied(sample, { ask: ({ rule }) => Promise.resolve(rule === 3) })).attach?.(sandbox as Sandbox)
    expect(await asked[0]?.(question)).toBe(true)
    expect(await asked[0]?.({ ...question, rule: 2 })).toBe(false)
  })
})
