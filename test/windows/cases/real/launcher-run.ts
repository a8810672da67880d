/** The launcher with no layer at all: what a command gets, and how it ends. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { createLauncher } from '../../../../native/index.ts'
import { runToEnd } from '../../support/run.ts'
import { bareParts, command, script } from '../../support/specs.ts'

const launcher = createLauncher()
after(() => launcher[Symbol.asyncDispose]())

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
