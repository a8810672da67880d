import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { JobView, JournalEvent } from '../../../core/contracts/index.ts'
import { cliWorld, type CliWorld, finished, shellAgent, spawnCli } from '../../support/command-line.ts'

async function jobs(world: CliWorld): Promise<readonly JobView[]> {
  return JSON.parse((await world.run('ls', '--json', '--all')).out) as JobView[]
}

async function statuses(world: CliWorld): Promise<Record<string, string>> {
  return Object.fromEntries((await jobs(world)).map(({ spec, status, removed }) => [spec.name, removed ? `${status}, removed` : status]))
}

test('init writes two valid files, keeps what exists, and doctor is content with them', async () => {
  const world = cliWorld()
  const [own, shared] = [join(world.home, '.config/bulkhead/bulkhead.yaml'), join(world.repository, 'bulkhead.yaml')]
  expect(await world.run('init')).toMatchObject({ code: 0, out: `wrote ${shared}\nwrote ${own}\n` })
  expect(await world.run('init')).toMatchObject({ code: 0, out: `kept  ${shared}\nkept  ${own}\n` })
  expect((await world.run('doctor')).code).toBe(0)
  const { code, out } = await world.run('doctor', '--attest', '--json')
  expect(code).toBe(0)
  const report = JSON.parse(out) as {
    environments: { name: string; setup: string[]; evidence: { held: boolean; text: string }[] | null }[]
  }
  expect(report.environments[0]).toMatchObject({ name: 'linux', setup: [], failure: null })
  expect(report.environments[0]?.evidence?.length).toBeGreaterThan(20)
  expect(report.environments[0]?.evidence?.every(({ held, text }) => held && text !== '')).toBe(true)
  expect(await world.run('run')).toMatchObject({ code: 0, out: '' })
})

test('from a prompt to the target branch: run, ls, logs, diff, approve, merge, rm', async () => {
  const world = cliWorld()
  world.configure(`${shellAgent}gates: [{name: has-b, command: [test, -f, b.txt]}]`)
  const ran = await world.run('run', '--name', 'one', 'echo work > b.txt; printf "said \\033[2Jthis\\n"')
  expect(ran).toMatchObject({ code: 0, err: 'To review: bulkhead diff one\n' })
  expect(ran.out.split('\n')).toEqual(expect.arrayContaining(['one: queued', 'one: running', 'one: finished, 1 files changed (+1 -0)']))

  expect((await world.run('ls')).out).toMatch(/^NAME +STATUS .*\none +finished .* \+1 -0 in 1 +full\n$/)
  expect((await world.run('logs', 'one')).out).toBe('said ^[[2Jthis\n')
  expect((await world.run('logs', 'one', '--raw')).out).toBe('said \u001b[2Jthis\n')
  expect((await world.run('logs', 'one', '--events')).out).toBe(ran.out)
  expect((await world.run('diff', 'one')).out).toContain('+work')
  expect((await world.run('diff', 'one', '--stat')).out).toMatch(/b\.txt +\| 1 \+/)
  const review = JSON.parse((await world.run('diff', 'one', '--json')).out) as { tree: string; files: object[] }
  expect(review.files).toMatchObject([{ path: 'b.txt', change: 'added' }])
  expect((await world.run('show', 'one')).out).toMatch(/evidence of the last attempt:\n {2}held/)

  expect(await world.run('merge', 'one')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Cannot merge one: it is finished') as unknown,
  })
  expect(await world.run('approve', 'one', '--tree', '0'.repeat(40))).toMatchObject({ code: 5 })
  expect(await world.run('approve', 'one', '--tree', review.tree)).toMatchObject({ code: 0 })
  const merged = await world.run('merge')
  expect(merged).toMatchObject({ code: 0, err: '' })
  expect(merged.out).toMatch(/one: gate has-b passed in .*\none: landed on refs\/heads\/main as [0-9a-f]{12}\n$/)
  expect(readFileSync(join(world.repository, 'b.txt'), 'utf8')).toBe('work\n')
  expect(world.git('log', '--format=%s%n%(trailers:key=Bulkhead-Job,valueonly)', '-1')).not.toBe('')

  expect(await world.run('rm', '--merged')).toMatchObject({ code: 0, out: 'removed one\n' })
  expect(await statuses(world)).toEqual({ one: 'merged, removed' })
  expect(await world.run('audit', 'verify')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+ events, the chain is intact\n$/) as unknown,
  })
})

test('a jobs file with needs; a failing job is exit code 1 and dooms who needs it; rejected work is kept', async () => {
  const world = cliWorld()
  world.configure(shellAgent)
  const file = join(world.home, 'jobs.yaml')
  writeFileSync(
    file,
    'jobs:\n- {name: good, prompt: echo 1 > good}\n- {name: bad, prompt: exit 7}\n- {name: after, prompt: echo 2 > after, needs: [good]}\n- {name: doomed, prompt: "true", needs: [bad]}\n',
  )
  const ran = await world.run('run', '--json', '-f', file)
  expect(ran.code).toBe(1)
  const events = ran.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JournalEvent & { name: string })
  expect(
    events
      .filter(({ type }) => type === 'job.failed')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['bad', 'doomed'])
  expect(await statuses(world)).toEqual({ good: 'finished', bad: 'failed', after: 'finished', doomed: 'failed' })

  expect(await world.run('reject', 'good', '-m', 'not now')).toMatchObject({ code: 0 })
  const removed = await world.run('rm', 'good')
  const ref = /kept as (\S+)\n$/.exec(removed.out)?.[1] ?? ''
  expect(world.git('show', `${ref}:good`)).toBe('1\n')
})

test('what is denied is shown, with the control that it works without the walls', async () => {
  const world = cliWorld()
  const secret = join(world.home, 'secret')
  writeFileSync(secret, 'hidden')
  world.configure(
    `${shellAgent}environments: {open: {filesystem: fs-none, token: token-none, network: net-none, interception: intercept-none}}`,
  )
  const script = `cat ${secret} > stolen || true; cat stolen`
  expect((await world.run('run', '--name', 'walled', script)).code).toBe(0)
  expect((await world.run('logs', 'walled')).out).not.toContain('hidden')
  expect((await world.run('run', '--name', 'open', '--environment', 'none', script)).code).toBe(0)
  expect((await world.run('logs', 'open')).out).toContain('hidden')
  expect((await world.run('ls')).out).toMatch(/open .* filesystem:none token:none network:none interception:none/)
})

describe('asking for the wrong thing', () => {
  test('is one line each, and changes nothing', async () => {
    const world = cliWorld()
    world.configure(shellAgent)
    const cases: readonly (readonly [string[], number, RegExp])[] = [
      [['show', 'nope'], 2, /^bulkhead: There is no job "nope"; /],
      [['diff', 'nope'], 2, /^bulkhead: There is no job "nope"; /],
      [['logs', 'nope'], 2, /^bulkhead: There is no job "nope"; /],
      [['stop', 'nope'], 2, /^bulkhead: There is no job "nope"; /],
      [['run', '--agent', 'nope', 'x'], 2, /^bulkhead: There is no agent "nope"/],
      [['run', '--environment', 'nope', 'x'], 2, /^bulkhead: environment "nope" is not configured; .*Known: linux, none\.$/],
      [['run', '--needs', 'nope', 'x'], 2, /^bulkhead: .* needs "nope", but there is no such job; /],
      [['run', '--target', 'nope', 'x'], 2, /^bulkhead: 'refs\/heads\/nope' names no commit; /],
      [['run', '-f', 'nope.yaml'], 2, /^bulkhead: the file does not exist \(.*nope\.yaml\); /],
      [['run', '--time', '5h', 'x'], 2, /^bulkhead: --time is more than policy\.limits\.time allows; /],
      [['run', ' '], 2, /^bulkhead: the prompt is empty/],
      [['run', '--name', 'Bad Name', 'x'], 2, /^bulkhead: /],
    ]
    for (const [argv, code, line] of cases) {
      const said = await world.run(...argv)
      expect({ argv, code: said.code, lines: said.err.trimEnd().split('\n').length }).toEqual({ argv, code, lines: 1 })
      expect(said.err.trimEnd()).toMatch(line)
    }
    expect(await jobs(world)).toEqual([])
  })
})

test('Ctrl-C ends the agent at once, exit code 130; the job is queued again and run finishes it', async () => {
  const world = cliWorld()
  world.configure(shellAgent)
  const child = spawnCli(['run', '--name', 'long', 'test -e again || { touch again; sleep 60; }; echo done > b.txt'], {
    cwd: world.repository,
    env: world.variables,
  })
  const end = finished(child)
  for (let tries = 0; tries < 200; tries++) {
    if ((await statuses(world))['long'] === 'running') break
    await delay(50)
  }
  await delay(200)
  child.kill('SIGINT')
  expect(await end).toMatchObject({ code: 130, signal: null })
  expect(await statuses(world)).toEqual({ long: 'queued' })
  expect((await world.run('pause')).out).toBe('the queue is paused\n')
  expect((await world.run('ls')).out).toContain('the queue was paused by')
  await world.run('resume')
  expect((await world.run('run')).code).toBe(0)
  expect(await statuses(world)).toEqual({ long: 'finished' })
})

test('stop ends a running job from another process, and keeps what it changed', async () => {
  const world = cliWorld()
  world.configure(shellAgent)
  const child = spawnCli(['run', '--name', 'long', 'echo half > b.txt; echo ready; sleep 60'], {
    cwd: world.repository,
    env: world.variables,
  })
  const end = finished(child)
  for (let tries = 0; tries < 200 && !(await world.run('logs', 'long').catch(() => ({ out: '' }))).out.includes('ready'); tries++)
    await delay(50)
  expect(await world.run('stop', 'long')).toMatchObject({ code: 0, out: 'stopping long\n' })
  expect(await end).toMatchObject({ code: 1 })
  expect(await statuses(world)).toEqual({ long: 'cancelled' })
  expect((await world.run('diff', 'long')).out).toContain('+half')
})

test('kill -9 in the middle: recover says what it did, and the job runs once more', async () => {
  const world = cliWorld()
  world.configure(shellAgent)
  const child = spawnCli(['run', '--name', 'long', 'test -e again || { touch again; sleep 60; }; echo done > b.txt'], {
    cwd: world.repository,
    env: world.variables,
  })
  const end = finished(child)
  for (let tries = 0; tries < 200 && (await statuses(world))['long'] !== 'running'; tries++) await delay(50)
  child.kill('SIGKILL')
  await end
  expect((await world.run('ls')).out).toMatch(/long +running .* the process that ran it is gone; bulkhead run goes on with it\n/)
  expect((await world.run('recover')).code).toBe(0)
  const ran = await world.run('run')
  expect(ran.code).toBe(0)
  expect(ran.out).toContain('long: interrupted: its process died; queued again')
  expect(await statuses(world)).toEqual({ long: 'finished' })
  expect(existsSync(join(world.repository, 'b.txt'))).toBe(false)
})
