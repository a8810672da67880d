import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CommandLine } from '../../../support/command-line.ts'

interface Report {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[]
  readonly environments: readonly {
    readonly name: string
    readonly isDefault: boolean
    readonly usable: boolean
    readonly failure: unknown
  }[]
}

test('init writes both files where Windows keeps them, and they are valid', async () => {
  using cli = new CommandLine('{}')
  const shared = join(cli.repository, 'bulkhead.yaml')
  const said = await cli.run('init')
  assert.deepEqual([said.code, said.out.split('\n')[0]], [0, `wrote ${shared}`], said.err)
  assert.ok(existsSync(shared))
  assert.doesNotMatch(readFileSync(shared, 'utf8'), /\r/)
  const { code, out, err } = await cli.run('doctor', '--json', '--environment', 'none')
  assert.deepEqual([code, err], [0, ''])
  const { checks, environments } = JSON.parse(out) as Report
  assert.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  )
  assert.match(checks.find(({ name }) => name === 'state')?.detail ?? '', /\\AppData\\Local\\bulkhead$/)
  assert.deepEqual(
    environments.map(({ name, usable }) => [name, usable]),
    [['none', true]],
  )
})

test('doctor runs a command that does nothing, to attest an environment', async () => {
  using cli = new CommandLine('{}')
  const { code, out, err } = await cli.run('doctor', '--attest', '--json', '--environment', 'none')
  assert.deepEqual([code, err], [0, ''])
  assert.deepEqual(
    (JSON.parse(out) as Report).environments.map(({ name, failure }) => [name, failure]),
    [['none', null]],
  )
})

test('without a choice it is about the environments of Windows, and says what is missing', async () => {
  using cli = new CommandLine('{}')
  const { code, out } = await cli.run('doctor', '--json')
  const { environments } = JSON.parse(out) as Report
  assert.deepEqual(
    environments.map(({ name, isDefault }) => [name, isDefault]),
    [
      ['windows', true],
      ['windows-unelevated', false],
      ['none', false],
    ],
  )
  assert.equal(code, 4)
})
