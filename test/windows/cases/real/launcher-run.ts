/** The launcher with no layer at all: what a command gets, and how it ends. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { runToEnd } from '../../support/run.ts'
import { bareParts, command, script } from '../../support/specs.ts'

const launcher = createLauncher()
const folder = mkdtempSync(join(tmpdir(), 'run-'))
after(async () => {
  await launcher[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

for (const code of [0, 7, 255, 0xc000_0005]) {
  test(`a command ends with ${code}`, async () => {
    const ran = await runToEnd(launcher, { ...bareParts, command: script(`process.exit(${code | 0})`) })
    assert.deepEqual(ran, { code, signal: null, killedByRule: null, out: '', error: '' })
  })
}

test('standard streams are the given ones', async () => {
  const text = `process.stdin.pipe(process.stdout); process.stdin.on('end', () => console.error('no more'))`
  const ran = await runToEnd(launcher, { ...bareParts, command: script(text) }, 'one\ntwo\n')
  assert.deepEqual(ran, { code: 0, signal: null, killedByRule: null, out: 'one\ntwo\n', error: 'no more\n' })
})

test('what does not exist is not found', async () => {
  await using sandbox = await launcher.launch({ ...bareParts, command: command(['no-such-program']) }, { kind: 'pipes' })
  await assert.rejects(sandbox.start(), (error) => BulkheadError.is(error) && error.code === 'launch_not_found')
  assert.deepEqual(await sandbox.exited, { code: 127, signal: null, killedByRule: null })
})

async function refused(argv: readonly string[], code: string, exit: number, environment: Readonly<Record<string, string>> = {}) {
  await using sandbox = await launcher.launch({ ...bareParts, command: command(argv, environment) }, { kind: 'pipes' })
  await assert.rejects(sandbox.start(), (error) => BulkheadError.is(error) && error.code === code, argv.join(' '))
  assert.equal((await sandbox.exited).code, exit)
}

test('what is no program cannot be executed', async () => {
  const text = join(folder, 'text.exe')
  writeFileSync(text, 'no program')
  for (const name of [text, folder, String.raw`\\server\share\x.exe`, String.raw`\\.\NUL`])
    await refused([name], 'launch_not_executable', 126)
})

test('a command gets only its three streams', async () => {
  const program = join(process.env['BULKHEAD_STAGE'] ?? '', 'programs', 'handles.exe')
  const ran = await runToEnd(launcher, { ...bareParts, command: command([program]) })
  assert.equal(ran.out, '3 pipes\r\n')
})

test('arguments arrive as they are', async () => {
  const pieces = ['', ' ', '"', '\\', 'a', '\\"', "'", '%PATH%', '$x', '\t', 'é€😀', '&|<>^', '*?']
  const words = pieces
    .flatMap((one) => pieces.map((other) => `${one}x${other}`))
    .concat(
      pieces,
      pieces.map((one) => one.repeat(3)),
    )
  const ran = await runToEnd(launcher, {
    ...bareParts,
    command: script('console.log(JSON.stringify(process.argv.slice(1)))', '--', ...words),
  })
  assert.deepEqual(JSON.parse(ran.out), words)
})

test('the environment is exactly the given one', async () => {
  const environment = { SystemRoot: 'C:\\windows', 'With space': 'a=b;%c%', ünïcode: '€', EMPTY: '' }
  const print = `const { SystemRoot, ...rest } = process.env; console.log(JSON.stringify(rest))`
  const ran = await runToEnd(launcher, { ...bareParts, command: { ...script(print), environment } })
  const { SystemRoot, ...rest } = environment
  assert.equal(SystemRoot, 'C:\\windows')
  // What Wine itself gives to every process.
  const own = Object.entries(JSON.parse(ran.out) as Record<string, string>).filter(([name]) => !/^(WINE|SystemDrive$)/.test(name))
  assert.deepEqual(Object.fromEntries(own), rest)
})

test('a batch file takes plain arguments, and none that it would read as more', async () => {
  const batch = join(folder, 'batch.cmd')
  writeFileSync(batch, '@echo off\r\necho [%~1] [%~2]\r\n')
  const ran = await runToEnd(launcher, { ...bareParts, command: command([batch, 'one two', '(three)']) })
  assert.equal(ran.out, '[one two] [(three)]\r\n')
  for (const bad of ['a"b', '%PATH%', 'a&b', 'a|b', 'a^b', 'a<b', 'a>b', 'a!b', 'a\nb', 'a\\']) {
    await refused([batch, bad], 'launch_not_executable', 126)
  }
})

test('a bare name is looked up on the PATH of the command, and nowhere else', async () => {
  const bin = join(folder, 'a; bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'tool.cmd'), '@echo found\r\n')
  writeFileSync(join(folder, 'here.cmd'), '@echo wrong\r\n')
  const ran = await runToEnd(launcher, { ...bareParts, command: command(['tool'], { PATH: `relative;.;"${bin}"` }) })
  assert.equal(ran.out, 'found\r\n')
  for (const PATH of ['', '.', `${folder}\\..`, 'relative']) {
    const spec = { ...command(['here'], { PATH }), directory: folder }
    await using sandbox = await launcher.launch({ ...bareParts, command: spec }, { kind: 'pipes' })
    await assert.rejects(sandbox.start(), { code: 'launch_not_found' })
  }
})
