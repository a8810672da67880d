/** The interception layer of Windows through the real launcher: its evidence, its reports, its questions. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { interceptedActs } from '../../../../core/contracts/index.ts'
import type { ApplyContext, Denial, Exit, InterceptionRule, LaunchSpec, Policy, Question } from '../../../../core/contracts/index.ts'
import { createHost, createLauncher } from '../../../../native/index.ts'
import plugin from '../../../../plugins/intercept-hook/index.ts'
import { playground } from '../../support/hook.ts'
import { bareParts, script } from '../../support/specs.ts'
import { textOf } from '../../support/run.ts'

const launcher = createLauncher()
const host = createHost(launcher)
after(() => launcher[Symbol.asyncDispose]())

interface Ran {
  readonly exit: Exit
  readonly out: string
  readonly denials: readonly Denial[]
  readonly evidence: readonly { readonly claim: string; readonly held: boolean; readonly detail: string }[]
}

/** One job: plan, apply, contribute, launch, attach, verify, start, end. Everything but this layer is left out. */
async function job(rules: readonly InterceptionRule[], workspace: string, text: string, more: Partial<ApplyContext> = {}): Promise<Ran> {
  const availability = await plugin.probe(host)
  const view = { path: workspace, gitDirectory: null, objectStores: [], owner: { uid: 0, gid: 0 } }
  const context = { host, job: 'j', workspace: view, availability, capabilities: [] }
  const policy: Policy = {
    filesystem: { read: [], write: [], deny: [] },
    network: { allow: [] },
    interception: rules,
    limits: { timeMs: null, stallMs: null, outputBytes: null, processes: null, openFiles: null, temporaryBytes: null },
    environment: {},
  }
  const denials: Denial[] = []
  const plan = plugin.plan(policy, { wow64: 'refuse', askTimeout: 5 }, context)
  assert.deepEqual([availability.usable, plan.unsupported], [true, []])
  await using layer = await plugin.apply(plan, {
    ...context,
    provided: {},
    signal: new AbortController().signal,
    record: () => Promise.reject(new Error('nothing to record')),
    report: (denial) => void denials.push(denial),
    ...more,
  })
  const spec: LaunchSpec = layer.contribute({ ...bareParts, command: script(text) })
  await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
  await layer.attach?.(sandbox)
  const evidence = await layer.verify(sandbox)
  assert.deepEqual(
    evidence.map(({ claim }) => claim),
    plan.enforces.map(({ id }) => id),
  )
  const out = textOf(sandbox.stdout)
  await sandbox.start()
  const exit = await sandbox.exited
  return { exit, out: await out, denials, evidence }
}

const write = (path: string): string =>
  `try { require('fs').writeFileSync(${JSON.stringify(path)}, 'x'); console.log('written') } catch (e) { console.log(e.code) }`

test('every act has evidence, while its rule would kill', async () => {
  using place = playground()
  const rules = interceptedActs.map((on): InterceptionRule => ({
    on,
    match: on.startsWith('registry.') ? 'HKCU/none' : '**/none',
    action: 'kill',
  }))
  const { evidence, exit, denials } = await job(rules, place.directory, 'console.log(1)')
  assert.deepEqual(
    evidence.filter(({ held }) => !held),
    [],
  )
  assert.equal(evidence.length, 2)
  assert.deepEqual([exit, denials], [{ code: 0, signal: null, killedByRule: null }, []])
})

test('a rule about the workspace is answered and reported with its remedy', async () => {
  using place = playground()
  const { out, denials } = await job([{ on: 'file.write', match: './deny', action: 'deny' }], place.directory, write(join(place.deny, 'g')))
  assert.deepEqual(out, 'EPERM\n')
  assert.deepEqual(
    denials.map(({ reason, object, action, program }) => [reason, object, action, program]),
    [['rule_deny', join(place.deny, 'g'), 'deny', 'node.exe']],
  )
  assert.match(denials[0]?.remedy ?? '', /^interception: \[\{ on: file\.write, match: ".*\\\\deny\\\\g", action: allow \}\] before rule 1$/)
  assert.equal(existsSync(join(place.deny, 'g')), false)
})

test('control: without a rule it is written', async () => {
  using place = playground()
  const { out, denials } = await job([], place.directory, write(join(place.deny, 'g')))
  assert.deepEqual([out, denials, existsSync(join(place.deny, 'g'))], ['written\n', [], true])
})

test('a redirected write lands in the target, in the workspace', async () => {
  using place = playground()
  const rules: readonly InterceptionRule[] = [{ on: 'file.write', match: '**/*.log', action: 'redirect', target: './free/all' }]
  const { out, denials } = await job(rules, place.directory, write(join(place.deny, 'x.log')))
  assert.deepEqual([out, denials.map(({ reason }) => reason)], ['written\n', ['rule_redirect']])
  assert.deepEqual([existsSync(join(place.free, 'all')), existsSync(join(place.deny, 'x.log'))], [true, false])
})

test('a kill ends the job under the number of its rule', async () => {
  using place = playground()
  const rules: readonly InterceptionRule[] = [
    { on: 'file.delete', match: '**', action: 'deny' },
    { on: 'file.write', match: './deny', action: 'kill' },
  ]
  const { exit, denials, out } = await job(
    rules,
    place.directory,
    `${write(join(place.deny, 'g'))}; setTimeout(() => console.log('later'), 3000)`,
  )
  assert.equal(exit.killedByRule, 1)
  assert.deepEqual([denials.map(({ reason }) => reason), out], [['rule_kill'], ''])
})

test('questions are answered by whoever can be asked, and no otherwise', async () => {
  using place = playground()
  const rules: readonly InterceptionRule[] = [{ on: 'file.write', match: './free', action: 'ask' }]
  const text = `${write(join(place.free, 'yes'))}; ${write(join(place.free, 'no'))}`
  const asked: Question[] = []
  const ask = (question: Question): Promise<boolean> => {
    asked.push(question)
    return Promise.resolve(question.object.endsWith('yes'))
  }
  const someone = await job(rules, place.directory, text, { ask })
  assert.deepEqual([someone.out, asked.length], ['written\nEPERM\n', 2])
  assert.deepEqual(
    someone.denials.map(({ reason }) => reason),
    ['rule_allow', 'rule_deny'],
  )
  assert.equal((await job(rules, place.directory, text)).out, 'EPERM\nEPERM\n')
})
