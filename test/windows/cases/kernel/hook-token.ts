/** The hook in processes of a blind, low token: it must get in there, reach its pipe from there, and the pipe must be nobody else's. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { HookInterception, Intercepted, LaunchSpec } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { agent } from '../../support/hook.ts'
import { bareParts, command, restrictedToken } from '../../support/specs.ts'
import { textOf } from '../../support/run.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

type Rules = HookInterception['rules']

async function confined(rules: Rules, acts: readonly string[], walls: Partial<LaunchSpec> = { token: restrictedToken() }) {
  const interception: HookInterception = { mechanism: 'windows-hook', rules, wow64: 'refuse', askTimeoutMs: 5000 }
  await using sandbox = await launcher.launch(
    { ...bareParts, ...walls, interception, command: command([agent, ...acts]) },
    { kind: 'pipes' },
  )
  const events: Intercepted[] = []
  sandbox.onIntercepted((event) => events.push(event))
  const [status] = await sandbox.attempt([{ op: 'status', field: 'hook' }])
  const out = textOf(sandbox.stdout)
  await sandbox.start()
  const exit = await sandbox.exited
  return { status, exit, events, lines: (await out).split(/\r?\n/).filter((line) => line !== '') }
}

const rule = (on: string, match: string, action: 'allow' | 'deny'): Rules[number] => ({ id: 4, on, match, action, target: null })

test('it is in the probe, in the agent and in what the agent starts, and reports from all of them', async () => {
  const rules = [rule('process.exec', String.raw`**\cmd.exe`, 'allow'), rule('file.write', String.raw`**\x`, 'deny')]
  const { status, exit, events, lines } = await confined(rules, [
    'run',
    `cmd.exe /d /c ${agent} write C:\\windows\\x`,
    'write',
    'C:\\windows\\x',
  ])
  assert.match(status?.value ?? '', /^ready hooks=\d+ rules=2$/)
  assert.deepEqual([exit.code, lines], [0, ['write 5', 'child 0', 'run 0', 'write 5']])
  assert.deepEqual(
    events.map(({ on, action, program }) => [on, action, program]),
    [
      ['process.exec', 'allow', 'hook-agent.exe'],
      ['file.write', 'deny', 'hook-agent.exe'],
      ['file.write', 'deny', 'hook-agent.exe'],
    ],
  )
  assert.equal(new Set(events.map(({ pid }) => pid)).size, 2)
})

test('the agent cannot serve the event pipe itself', async () => {
  assert.deepEqual((await confined([], ['squat'])).lines, ['squat 5'])
})

test('control: without the token it can', async () => {
  assert.deepEqual((await confined([], ['squat'], {})).lines, ['squat 0'])
})
