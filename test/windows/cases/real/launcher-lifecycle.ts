/** Whoever dies, what is below it dies too; what was started ends with the command; and a gentle end is asked for. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import koffi from 'koffi'
import type { LaunchSpec, Sandbox } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { binding } from '../../../../native/windows/binding.ts'
import { processes } from '../../support/crash/world.ts'
import { interrupted, patient } from '../../support/interrupted.ts'
import { textOf } from '../../support/run.ts'
import { bareParts, restrictedToken, script } from '../../support/specs.ts'

const launcher = createLauncher()
const folder = mkdtempSync(join(tmpdir(), 'lifecycle-'))
after(async () => {
  await launcher[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** An agent that never ends with a detached grandchild that never ends. Each makes a directory that is called after its pid. */
function family(then = ''): { readonly text: string; readonly pids: () => Promise<number[]> } {
  const own = mkdtempSync(join(folder, 'family-'))
  const arrive = `require('fs').mkdirSync(${JSON.stringify(`${own}\\`)} + process.pid); setInterval(() => {}, 1000)`
  const text = `${arrive}
    require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(arrive)}], { detached: true, stdio: 'ignore' }).unref()
    ${then}`
  const pids = async (): Promise<number[]> => {
    for (;;) {
      const found = readdirSync(own).map(Number)
      if (found.length === 2) return found
      await delay(20)
    }
  }
  return { text, pids }
}

const isThere = (pid: number): boolean => binding().startTime(pid) !== undefined

async function gone(pids: readonly number[]): Promise<boolean> {
  for (let waited = 0; waited < 250 && pids.some(isThere); waited++) await delay(20)
  return !pids.some(isThere)
}

/** It can do nothing any more, also not see that a pipe was closed. */
function suspend(pid: number): void {
  // PROCESS_SUSPEND_RESUME
  const process: unknown = koffi.load('kernel32.dll').func('void *OpenProcess(uint32 access, int inherit, uint32 pid)')(0x800, 0, pid)
  assert.equal(koffi.load('ntdll.dll').func('int32 NtSuspendProcess(void *process)')(process), 0)
}

async function started(spec: LaunchSpec): Promise<Sandbox> {
  const sandbox = await launcher.launch(spec, { kind: 'pipes' })
  await sandbox.start()
  return sandbox
}

for (const [name, token] of [
  ['no layer', null],
  ['a restricted token', restrictedToken()],
] as const) {
  test(`killing ends the grandchild too, before it is said to be over: ${name}`, async () => {
    const { text, pids } = family()
    await using sandbox = await started({ ...bareParts, token, command: script(text) })
    const both = await pids()
    assert.deepEqual(both.map(isThere), [true, true])
    sandbox.kill()
    assert.deepEqual(await sandbox.exited, { code: null, signal: 'SIGKILL', killedByRule: null })
    assert.deepEqual(both.map(isThere), [false, false])
  })
}

test('what is left when the command ends, ends with it; the code is the command’s', async () => {
  const { text, pids } = family(
    `setInterval(() => { if (require('fs').existsSync(${JSON.stringify(join(folder, 'go'))})) process.exit(6) }, 20)`,
  )
  await using sandbox = await started({ ...bareParts, command: script(text) })
  const both = await pids()
  writeFileSync(join(folder, 'go'), '')
  assert.deepEqual(await sandbox.exited, { code: 6, signal: null, killedByRule: null })
  assert.deepEqual(both.map(isThere), [false, false])
})

test('when the launcher is killed, the kernel ends the rest', async () => {
  const { text, pids } = family()
  await using sandbox = await launcher.launch({ ...bareParts, command: script(text) }, { kind: 'pipes' })
  const [supervisor] = await sandbox.attempt([{ op: 'status', field: 'supervisor' }])
  await sandbox.start()
  const both = await pids()
  assert.ok(both.includes(sandbox.process.pid))
  process.kill(Number(supervisor?.value), 'SIGKILL')
  assert.deepEqual(await sandbox.exited, { code: null, signal: 'SIGKILL', killedByRule: null })
  assert.equal(isThere(sandbox.process.pid), false)
  assert.ok(await gone(both))
})

test('when the orchestrator is killed, nothing is left', async () => {
  const { text, pids } = family()
  const program = fileURLToPath(new URL('../../support/as-caller.js', import.meta.url))
  const caller = spawn(process.execPath, [program, 'inherit', text], { stdio: 'ignore' })
  const both = await pids()
  caller.kill('SIGKILL')
  await once(caller, 'exit')
  assert.ok(await gone(both))
})

test('when the orchestrator is killed, so is a launcher that hangs', async () => {
  const { text, pids } = family()
  const program = fileURLToPath(new URL('../../support/as-caller.js', import.meta.url))
  const caller = spawn(process.execPath, [program, 'inherit', text], { stdio: 'ignore' })
  const both = await pids()
  const supervisor = processes().find(({ parent, program: name }) => parent === caller.pid && name === 'bulkhead-launcher.exe')
  suspend(supervisor?.pid ?? 0)
  caller.kill('SIGKILL')
  await once(caller, 'exit')
  assert.ok(await gone(both))
})

test('a held sandbox that is given up leaves nothing', async () => {
  const sandbox = await launcher.launch({ ...bareParts, token: restrictedToken(), command: script('') }, { kind: 'pipes' })
  const answers = await sandbox.attempt(['supervisor', 'bystander'].map((field) => ({ op: 'status', field })))
  const pids = [sandbox.process.pid, ...answers.map(({ value }) => Number(value))]
  assert.deepEqual(pids.map(isThere), [true, true, true])
  await sandbox[Symbol.asyncDispose]()
  assert.ok(await gone(pids))
})

test('SIGINT and SIGTERM are a Ctrl-C to the agent', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    await using sandbox = await launcher.launch({ ...bareParts, command: script(patient) }, { kind: 'pipes' })
    const out = textOf(sandbox.stdout)
    await sandbox.start()
    sandbox.stdout?.once('data', () => sandbox.signal(signal))
    assert.deepEqual([(await sandbox.exited).code, await out], [8, 'ready\ninterrupted\n'])
  }
})

for (const kind of ['bare', 'restricted'] as const) {
  test(`so they are to one with the caller’s own streams, which has another console: ${kind}`, async () => {
    assert.deepEqual(await interrupted(kind), { code: 8, out: 'ready\ninterrupted\n' })
  })
}

test('SIGKILL needs no answer', async () => {
  await using sandbox = await started({ ...bareParts, command: script('setInterval(() => {}, 1000)') })
  sandbox.signal('SIGKILL')
  assert.equal((await sandbox.exited).signal, 'SIGKILL')
})
