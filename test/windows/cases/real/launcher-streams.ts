/** The three kinds of standard streams. A terminal is a pseudo-console here; the “user” is a program with pipes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLauncher } from '../../../../native/index.ts'
import { runToEnd, textOf } from '../../support/run.ts'
import { bareParts, restrictedToken, script } from '../../support/specs.ts'
const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())
/** Runs `support/as-caller.ts`, which launches with its own streams. */
async function asCaller(kind: 'inherit' | 'terminal', text: string, input: string) {
  const program = fileURLToPath(new URL('../../support/as-caller.js', import.meta.url))
  const child = spawn(process.execPath, [program, kind, text], { stdio: ['pipe', 'pipe', 'pipe'] })
  const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)])
  child.stdin.write(input)
  if (kind === 'inherit') child.stdin.end()
  const code = await new Promise((resolve) => child.on('close', resolve))
  const [out, error] = await texts
  return { code, out, error }
}
for (const [name, token] of [
  ['no layer', null],
  ['a restricted token', restrictedToken()],
] as const) {
  test(`10 MB go through stdin, stdout and stderr: ${name}`, async () => {
    const input = 'line\n'.repeat(2_000_000)
    const text = `process.stdin.on('data', (chunk) => { process.stdout.write(chunk); process.stderr.write(chunk) })`
    const ran = await runToEnd(launcher, { ...bareParts, token, command: script(text) }, input)
    assert.deepEqual([ran.code, ran.out === input, ran.error === input], [0, true, true])
  })
}

test('an agent that reads nothing still ends', async () => {
  const ran = await runToEnd(launcher, { ...bareParts, command: script('process.exit(4)') }, 'x'.repeat(1_000_000))
  assert.equal(ran.code, 4)
})

test('a flood that nobody reads is ended', async () => {
  const text = `setInterval(() => process.stdout.write('y'.repeat(100_000)), 1)`
  await using sandbox = await launcher.launch({ ...bareParts, command: script(text) }, { kind: 'pipes' })
  await sandbox.start()
  setTimeout(() => sandbox.kill(), 500)
  assert.equal((await sandbox.exited).signal, 'SIGKILL')
})

test('the caller’s own streams', async () => {
  const text = `process.stdin.on('data', (chunk) => process.stdout.write(String(chunk).toUpperCase())); console.error('to stderr')`
  assert.deepEqual(await asCaller('inherit', text, 'abc\n'), { code: 0, out: 'ABC\n', error: 'to stderr\n' })
})
/** Wine gives a program on a pseudo-console no handles to it, so it has to open them. */
const onConsole = `
  const { openSync } = require('fs')
  const tty = require('tty')
  const screen = new tty.WriteStream(openSync(String.raw\`\\\\.\\CONOUT$\`, 'r+'))
  const keys = new tty.ReadStream(openSync(String.raw\`\\\\.\\CONIN$\`, 'r+'))
`

test('a terminal of its own', async () => {
  const text = `${onConsole}; screen.write('tty ' + screen.isTTY + ' ' + screen.columns); setTimeout(() => process.exit(3), 500)`
  const { code, out, error } = await asCaller('terminal', text, '')
  assert.deepEqual([code, error], [3, ''])
  assert.match(out, /tty true 80/)
})

test('keys reach the agent', async () => {
  const text = `${onConsole}; keys.on('data', (chunk) => { screen.write('got ' + String(chunk).trim() + '.'); setTimeout(() => process.exit(5), 500) })`
  const { code, out } = await asCaller('terminal', text, 'hello\r')
  assert.match(out, /got hello\./)
  assert.equal(code, 5)
})

/**
 * Types into the console that the process has, and into what it has for input (STD_INPUT_HANDLE, -10). INPUT_RECORD: 20 bytes, a key (1)
 * that goes down (1).
 */
const typist = `
  const kernel32 = require(${JSON.stringify(join(process.env['BULKHEAD_STAGE'] ?? '', 'node_modules', 'koffi'))}).load('kernel32.dll')
  const open = kernel32.func('void *CreateFileW(str16 name, uint32 access, uint32 share, void *security, uint32 creation, uint32 flags, void *template)')
  const record = Buffer.alloc(20)
  record.writeUInt16LE(1, 0); record.writeUInt32LE(1, 4); record.writeUInt16LE(1, 8); record.writeUInt16LE(65, 10); record.writeUInt16LE(97, 14)
  const write = kernel32.func('bool WriteConsoleInputW(void *console, void *records, uint32 count, _Out_ uint32 *written)')
  const type = (console) => write(console, record, 1, new Uint32Array(1))
  const handle = kernel32.func('void *GetStdHandle(uint32 number)')(0xfffffff6)
  console.log('wrote ' + type(open('CONIN$', 0xc0000000, 3, null, 3, 0, null)) + ' ' + type(handle))
`

/** What `argv` says in a console of its own, and how many keys are in it afterwards. */
async function inConsole(input: 'console' | 'nothing', argv: readonly string[]): Promise<string> {
  const worker = fileURLToPath(new URL('../../support/workers/typed.js', import.meta.url))
  const child = spawn(process.execPath, [worker, input, ...argv], { stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true })
  return textOf(child.stdout)
}

for (const [input, done] of [
  ['console', 'wrote true true\ntyped 2\n'],
  // Whoever reads the console would take the key out of it again; here nobody does.
  ['nothing', 'wrote true false\ntyped 1\n'],
] as const) {
  test(`an agent with the caller’s own streams cannot type into the caller’s console; its input: ${input}`, async () => {
    assert.equal(await inConsole(input, [process.execPath, '-e', typist]), done, 'control')
    const program = fileURLToPath(new URL('../../support/as-caller.js', import.meta.url))
    for (const kind of ['inherit', 'terminal'])
      assert.match(await inConsole(input, [process.execPath, program, kind, typist]), /typed 0\n$/)
  })
}
