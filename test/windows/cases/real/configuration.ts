/** Paths of the configuration as a user of Windows writes them, through the product's own loading. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { surroundingsOf } from '../../../../core/compose-command.ts'
import { loadConfiguration } from '../../../../core/config/load.ts'
import { stateHome, usualUserFile } from '../../../../core/config/locate.ts'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { environmentsOf } from '../../../../plugins/environments.ts'
import { agentAdapters, layerPlugins } from '../../../../plugins/index.ts'

const root = realpathSync.native(mkdtempSync(join(tmpdir(), 'configuration-')))
const profile = join(root, 'Ann')
const repository = join(root, 'Repo')
const variables = { USERPROFILE: profile, APPDATA: join(profile, 'AppData', 'Roaming'), LOCALAPPDATA: join(profile, 'AppData', 'Local') }
const surroundings = surroundingsOf({ directory: repository, variables })
for (const folder of [variables.APPDATA, variables.LOCALAPPDATA, join(repository, 'Sub'), join(profile, 'Tools')]) {
  mkdirSync(folder, { recursive: true })
}

async function load(text: string, more: { readonly file?: string; readonly repository?: string } = {}) {
  const file = usualUserFile(surroundings)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  return loadConfiguration({
    file: more.file ?? null,
    environment: null,
    surroundings,
    repository,
    own: [stateHome(surroundings), usualUserFile(surroundings)],
    environments: environmentsOf('win32'),
    layers: layerPlugins,
    agents: agentAdapters,
    ...more,
  })
}

async function refusal(loading: Promise<unknown>): Promise<string> {
  try {
    await loading
    return 'accepted'
  } catch (error) {
    const { code, message } = BulkheadError.from(error)
    return `${code}: ${message}`
  }
}

test('the user’s files are where Windows keeps such things', () => {
  assert.equal(usualUserFile(surroundings), join(profile, 'AppData', 'Roaming', 'bulkhead', 'bulkhead.yaml'))
  assert.equal(stateHome(surroundings), join(profile, 'AppData', 'Local', 'bulkhead'))
})

test('paths become one absolute spelling: home, both slashes, relative, other case', async () => {
  const { policy } = await load(String.raw`policy: {filesystem: {
    read: ['~/Tools', '~\new', ${'C:/windows/system32'}, ..\other],
    deny: ['~/.ssh/**', '~\Secrets\*.pem', 'C:\Temp\x\*', .env, 'build/']}}`)
  assert.deepEqual(policy.filesystem, {
    read: [
      join(profile, 'Tools'),
      join(profile, 'new'),
      realpathSync.native('C:\\windows\\system32'),
      join(profile, 'AppData', 'Roaming', 'other'),
    ],
    write: [],
    deny: [join(profile, '.ssh', '**'), join(profile, 'Secrets', '*.pem'), 'C:\\Temp\\x\\*', '.env', 'build/'],
  })
  assert.deepEqual((await load(`policy: {filesystem: {read: ['${join(profile, 'TOOLS')}']}}`)).policy.filesystem.read, [
    join(profile, 'Tools'),
  ])
})

const everything = 'policy.filesystem.write may not be the whole filesystem'
for (const [written, said] of [
  ["'C:\\'", everything],
  ["'c:/'", everything],
  ['/', everything],
  ["'~bob\\x'", '"~bob\\x" names another user’s home'],
  [`'${variables.LOCALAPPDATA.toUpperCase()}\\BULKHEAD'`, 'agents could change'],
  [`'${variables.APPDATA}'`, 'agents could change'],
  [`'${root}'`, 'agents could change'],
] as const) {
  test(`refused to write: ${written.replace(root, '<root>')}`, async () => {
    assert.match(
      await refusal(load(`policy: {filesystem: {write: [${written}]}}`)),
      new RegExp(`^config_invalid: .*${said.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`),
    )
  })
}

test('a pattern may not climb with either slash', async () => {
  for (const pattern of ['..\\x', 'a\\..\\..\\x', 'a/../x']) {
    assert.match(await refusal(load(`policy: {filesystem: {deny: ['${pattern}']}}`)), /^config_invalid: .*may not contain/)
  }
})

test('the user’s own file may not lie in the repository, whatever the case it is named in', async () => {
  writeFileSync(join(repository, 'Sub', 'mine.yaml'), '{}')
  const named = join(repository.toUpperCase(), 'SUB', 'mine.yaml')
  assert.match(await refusal(load('{}', { file: named })), /^config_invalid: your own configuration file may not lie inside the repository/)
})

test('another drive is not inside', async () => {
  const { policy } = await load(`policy: {filesystem: {write: ['Z:\\tmp']}}`)
  assert.deepEqual(policy.filesystem.write, [realpathSync.native('Z:\\tmp')])
})

test('a relative place for the state is refused, also one without its drive’s root', () => {
  for (const path of ['state', 'C:state', '..\\state']) {
    const other = { ...surroundings, variables: { BULKHEAD_STATE: path } }
    assert.throws(
      () => stateHome(other),
      (error) => BulkheadError.is(error) && error.code === 'usage_invalid',
    )
  }
})

test('without a choice the environment is that of this system, and no other system’s exists', async () => {
  const { environment, environments } = await load('{}')
  assert.equal(environment, 'windows')
  assert.deepEqual(Object.keys(environments), ['windows', 'windows-unelevated', 'none'])
  const degraded = await load('environment: windows-unelevated\nenvironments: {windows-unelevated: {degrade: [network]}}')
  assert.deepEqual(degraded.environments['windows-unelevated']?.degrade, ['network'])
})
