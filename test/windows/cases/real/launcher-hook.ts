/** The hook as the launcher brings it in: asleep in the probe, awake in the agent and its descendants. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { HookInterception, Intercepted, LaunchSpec, Question } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { textOf } from '../../support/run.ts'
import { bareParts, command, script } from '../../support/specs.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

type Rules = HookInterception['rules']

function watched(rules: Rules, text = ''): LaunchSpec {
  const interception: HookInterception = { mechanism: 'windows-hook', rules, wow64: 'refuse', askTimeoutMs: 5000 }
  return { ...bareParts, interception, command: script(text) }
}

const rule = (id: number, match: string, action: Rules[number]['action'], on = 'file.write'): Rules[number] => ({
  id,
  on,
  match,
  action,
  target: null,
})

const write = (path: string): string =>
  `try { require('fs').writeFileSync(String.raw\`${path}\`, 'x'); console.log('written') } catch (e) { console.log(e.code) }`

async function run(spec: LaunchSpec, answer?: (question: Question) => Promise<boolean>) {
  await using sandbox = await launcher.launch(spec, { kind: 'pipes' })
  const events: Intercepted[] = []
  sandbox.onIntercepted((event) => events.push(event))
  if (answer !== undefined) sandbox.onAsked(answer)
  const out = textOf(sandbox.stdout)
  await sandbox.start()
  const exit = await sandbox.exited
  return { exit, out: await out, events }
}

test('the feature is there', async () => {
  assert.deepEqual(await launcher.probe('hook-injection'), { ok: true, level: 0, reason: '' })
})

test('in the probe it is in, and rules sleep', async () => {
  await using sandbox = await launcher.launch(watched([rule(1, 'C:\\**', 'kill')]), { kind: 'pipes' })
  const outcomes = await sandbox.attempt([
    { op: 'status', field: 'hook' },
    { op: 'syscall', name: 'intercept:file.write' },
    { op: 'create', path: 'C:\\users\\asleep.txt' },
  ])
  assert.match(outcomes[0]?.value ?? '', /^ready hooks=\d+ rules=1$/)
  assert.equal(outcomes[1]?.error, 'EACCES')
  assert.equal(outcomes[2]?.ok, true)
})

test('without it there is none', async () => {
  await using sandbox = await launcher.launch({ ...bareParts, command: command(['node']) }, { kind: 'pipes' })
  const [status] = await sandbox.attempt([{ op: 'status', field: 'hook' }])
  assert.equal(status?.value, 'none')
})

test('a rule denies and reports', async () => {
  const { exit, out, events } = await run(watched([rule(7, 'C:\\denied\\**', 'deny')], write('C:\\denied\\a.txt')))
  assert.deepEqual([exit.code, out], [0, 'EPERM\n'])
  assert.deepEqual(
    events.map(({ rule: id, on, action, program }) => ({ id, on, action, program })),
    [{ id: 7, on: 'file.write', action: 'deny', program: 'node.exe' }],
  )
})

test('a grandchild is watched too', async () => {
  const inner = write('C:\\denied\\a.txt').replaceAll('\\', '\\\\').replaceAll('`', '\\`')
  const text = `require('child_process').spawnSync(process.execPath, ['-e', \`${inner}\`], { stdio: 'inherit' })`
  const { out, events } = await run(watched([rule(7, 'C:\\denied\\**', 'deny')], text))
  assert.deepEqual([out, events.length], ['EPERM\n', 1])
})

test('a question waits for its answer', async () => {
  const objects: string[] = []
  const asked = async ({ object }: Question): Promise<boolean> => {
    objects.push(object)
    return object.endsWith('YES.TXT') || object.endsWith('yes.txt')
  }
  const text = `${write('C:\\users\\yes.txt')}; ${write('C:\\users\\no.txt')}`
  const { out } = await run(watched([rule(3, 'C:\\users\\*.txt', 'ask')], text), asked)
  assert.deepEqual([out, objects.length], ['written\nEPERM\n', 2])
})

test('a rule kills the whole job, and the exit says which', async () => {
  const text = `setInterval(() => {}, 1000); require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(write('C:\\deadly\\a.txt'))}], { stdio: 'inherit' })`
  const { exit, events } = await run(watched([rule(1, 'C:\\other\\**', 'deny'), rule(5, 'C:\\deadly\\**', 'kill')], text))
  assert.deepEqual(exit, { code: null, signal: 'SIGKILL', killedByRule: 5 })
  assert.deepEqual(
    events.map(({ rule: id, action }) => ({ id, action })),
    [{ id: 5, action: 'kill' }],
  )
})

test('a rule that cannot be read is a failure of the launch', async () => {
  await assert.rejects(
    launcher.launch(watched([rule(1, 'C:\\**', 'deny', 'file.teleport')]), { kind: 'pipes' }),
    /policy of the hook, rule 0/,
  )
})
