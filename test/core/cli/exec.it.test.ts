import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { processesWith } from '../../support/desk.ts'
import { packageRoot } from '../../support/host.ts'
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

describe('descriptors that lead around the walls are not passed on', () => {
  const sh = (line: string): Promise<{ code: number | null; text: string }> =>
    new Promise((resolve) => {
      const command = `"${process.execPath}" "${join(packageRoot, 'dist/cli/main.js')}" exec`
      const child = spawn('sh', ['-c', line.replaceAll('EXEC', command)], {
        cwd: world.repository,
        env: world.variables,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      child.once('close', (code) => resolve({ code, text }))
    })

  test('a directory as standard input; without walls it is the way out', async () => {
    mkdirSync(join(world.home, 'outside'), { recursive: true })
    const list = `sh -c 'exec 3<&0 < /dev/null; ls /proc/self/fd/3/' < "${world.home}"`
    expect(await sh(`EXEC --environment none -- ${list}`)).toMatchObject({ code: 0, text: expect.stringContaining('outside') as string })
    expect(await sh(`EXEC -- ${list}`)).toMatchObject({ code: 125, text: expect.stringContaining('directory as standard input') as string })
  })

  test('a network socket as standard input; without walls it reaches the host’s loopback', async () => {
    const answer = createServer((socket) => socket.end('HOST-SECRET'))
    const giver = createServer((socket) => socket.on('error', () => undefined))
    for (const server of [answer, giver]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const [answerPort, giverPort] = [answer, giver].map((server) => (server.address() as AddressInfo).port)
    const reconnect =
      'import ctypes,os,socket,struct,sys; s=socket.socket(fileno=os.dup(0)); ' +
      'ctypes.CDLL(None).connect(s.fileno(), struct.pack("H14x", 0), 16); s.connect(("127.0.0.1", int(sys.argv[1]))); print(s.recv(20))'
    const give =
      'import os,socket,sys; s=socket.create_connection(("127.0.0.1", int(sys.argv[1]))); os.dup2(s.fileno(), 0); os.execvp(sys.argv[2], sys.argv[2:])'
    const line = (more: string): string =>
      `/usr/bin/python3 -c '${give}' ${giverPort} EXEC ${more} -- /usr/bin/python3 -c '${reconnect}' ${answerPort}`
    const free = await sh(line('--environment none'))
    const walled = await sh(line(''))
    for (const server of [answer, giver]) server.close()
    expect(free).toMatchObject({ code: 0, text: expect.stringContaining('HOST-SECRET') as string })
    expect(walled).toMatchObject({ code: 125, text: expect.stringContaining('network socket as standard input') as string })
  })
})

test('a git directory is no workspace: its hooks would be the command’s to write', async () => {
  const bare = join(world.home, 'bare.git')
  mkdirSync(join(bare, 'hooks'), { recursive: true })
  for (const name of ['objects', 'refs']) mkdirSync(join(bare, name))
  writeFileSync(join(bare, 'HEAD'), 'ref: refs/heads/main\n')
  const write = ['--workspace', bare, '--', 'sh', '-c', 'echo planted > hooks/post-update']
  expect(await exec(world, ['--environment', 'none', ...write])).toMatchObject({ code: 0 })
  expect(await exec(world, write)).toMatchObject({ code: 125, err: expect.stringContaining('git directory itself') as string })
})
