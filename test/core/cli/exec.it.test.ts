import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { processesWith } from '../../support/desk.ts'
import { type CliWorld, cliWorld, finished, spawnCli } from '../../support/command-line.ts'

function exec(world: CliWorld, argv: readonly string[], more: { env?: NodeJS.ProcessEnv; input?: string } = {}) {
  return finished(spawnCli(['exec', ...argv], { cwd: world.repository, env: { ...world.variables, ...more.env } }), more.input)
}

const world = cliWorld()

describe('the end of the command is the end of exec', () => {
  test.each<readonly [string, readonly string[], number]>([
    ['its exit code', ['--', 'sh', '-c', 'exit 7'], 7],
    ['128 + n for a signal', ['--', 'sh', '-c', 'kill -TERM $$'], 143],
    ['not found', ['--', 'no-such-program-anywhere'], 127],
    ['not executable', ['--', '/etc/passwd'], 126],
    ['over time', ['--time', '300ms', '--', 'sleep', '20'], 124],
    ['its own failure: no such environment', ['--environment', 'nope', '--', 'true'], 125],
    ['its own failure: no such path', ['--read', '/nonexistent', '--', 'true'], 125],
    ['its own failure: the home directory is no workspace', ['--workspace', world.home, '--', 'true'], 125],
    ['options behind the command are the command’s', ['sh', '-c', 'exit $#', 'x', '--json', '--time'], 2],
  ])('%s', async (_, argv, code) => {
    expect(await exec(world, argv)).toMatchObject({ code, signal: null })
  })
})

test('streams pass through, and nothing else is written', async () => {
  expect(await exec(world, ['--', 'sh', '-c', 'cat; echo problem >&2'], { input: 'ping' })).toEqual({
    code: 0,
    out: 'ping',
    err: 'problem\n',
    signal: null,
  })
})

test('what the command sees: the workspace, what is named, and the variables that are named', async () => {
  const [shown, writable] = [join(world.home, 'shown'), join(world.home, 'writable')]
  for (const directory of [shown, writable]) mkdirSync(directory, { recursive: true })
  writeFileSync(join(shown, 'f'), 'shown')
  const script = `cat ${shown}/f; echo new > ${shown}/f; echo new > ${writable}/f; echo here > here; cat ${world.home}/.x; echo "[$PASS][$SET][$OTHER]"`
  writeFileSync(join(world.home, '.x'), 'never')
  const { out } = await exec(world, ['--read', shown, '--write', writable, '--env', 'PASS', '--env', 'SET=a=b', '--', 'sh', '-c', script], {
    env: { PASS: 'passed', SET: 'no', OTHER: 'no' },
  })
  expect(out).toBe('shown[passed][a=b][]\n')
  expect([join(shown, 'f'), join(writable, 'f'), join(world.repository, 'here')].map((path) => readFileSync(path, 'utf8'))).toEqual([
    'shown',
    'new\n',
    'here\n',
  ])
})

test('the same act without walls succeeds: the control', async () => {
  writeFileSync(join(world.home, '.x'), 'never')
  const argv = ['--', 'cat', join(world.home, '.x')]
  expect(await exec(world, argv)).toMatchObject({ code: 1, out: '' })
  expect(await exec(world, ['--environment', 'none', ...argv])).toMatchObject({ code: 0, out: 'never' })
})

test('events and denials go to the file that is named', async () => {
  const events = join(world.home, 'events.jsonl')
  const { code, err } = await exec(world, ['--events', events, '--json', '--', 'sh', '-c', 'getent hosts forbidden.example; true'])
  expect(code).toBe(0)
  const records = readFileSync(events, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object?: string })
  expect(records.map(({ type }) => type).filter((type) => type !== 'denial')).toEqual(['prepared', 'verified', 'started', 'exited'])
  expect(records.filter(({ type }) => type === 'denial').map(({ object }) => object)).toContainEqual(
    expect.stringContaining('forbidden.example'),
  )
  expect(err).toContain('"type":"denial"')
})

test('signals reach the command, and its own answer counts', async () => {
  const child = spawnCli(['exec', '--', 'sh', '-c', 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.05; done'], {
    cwd: world.repository,
    env: world.variables,
  })
  const end = finished(child)
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  child.kill('SIGTERM')
  expect(await end).toMatchObject({ code: 9, out: 'ready\ngot it\n', signal: null })
})

test('kill -9 of exec takes the command with it, and the next exec clears away what was left', async () => {
  const marker = `7${process.pid}.5`
  const child = spawnCli(['exec', '--', 'sh', '-c', `echo ready; setsid sleep ${marker} & sleep ${marker}`], {
    cwd: world.repository,
    env: world.variables,
  })
  const end = finished(child)
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  child.kill('SIGKILL')
  await end
  for (let tries = 0; tries < 100 && processesWith(`sleep ${marker}`).length > 0; tries++) await delay(20)
  expect(processesWith(`sleep ${marker}`)).toEqual([])
  const receipts = join(world.home, '.local/state/bulkhead/exec')
  expect(readdirSync(receipts).length).toBe(1)
  expect((await exec(world, ['--', 'true'])).code).toBe(0)
  expect(readdirSync(receipts)).toEqual([])
})

test('--json on errors', async () => {
  const { code, err } = await exec(world, ['--json', '--', 'no-such-program-anywhere'])
  expect({ code, error: JSON.parse(err) as unknown }).toMatchObject({ code: 127, error: { code: 'launch_not_found', exit: 127 } })
})
