/** What ends a run from outside: the user, a crash, a second process. Nothing is lost, nothing stays behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JobView } from '../../../../../core/contracts/index.ts'
import { isAlive, processIdentity } from '../../../../../native/index.ts'
import { CommandLine } from '../../../support/command-line.ts'

const node = process.execPath.replaceAll("'", "''")
const settings = `environment: none
agents:
  node: {adapter: agent-command, command: ['${node}', -e, '{prompt}']}`

/** Ends at once when its file is there already; otherwise writes it, says who it is, and stays. */
function patientAgent(cli: CommandLine): { readonly prompt: string; readonly pids: string } {
  const pids = join(cli.profile, 'pids')
  const prompt = `
    const fs = require('fs'), { spawn } = require('child_process')
    if (fs.existsSync('once.txt')) { fs.writeFileSync('twice.txt', 'x'); process.exit(0) }
    fs.writeFileSync('once.txt', 'x')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    fs.writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid)
    setInterval(() => {}, 1000)`
  return { prompt, pids }
}

async function tree(pids: string) {
  while (!existsSync(pids) || readFileSync(pids, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 20))
  return readFileSync(pids, 'utf8')
    .split(' ')
    .map((pid) => processIdentity(Number(pid)))
}

async function gone(processes: Awaited<ReturnType<typeof tree>>): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline && processes.some(isAlive);) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(processes.filter(isAlive), [])
}

const statusOf = async (cli: CommandLine): Promise<string | undefined> =>
  (JSON.parse((await cli.run('ls', '--json')).out) as readonly JobView[])[0]?.status

test('the orchestrator is killed: its agents die with it, and the next run goes on where they were', async () => {
  using cli = new CommandLine(settings)
  const { prompt, pids } = patientAgent(cli)
  const run = cli.start('run', '--name', 'one', prompt)
  const processes = await tree(pids)
  run.kill('SIGKILL')
  await once(run, 'close')
  await gone(processes)
  const again = await cli.run('run')
  assert.equal(again.code, 0, again.err)
  assert.equal(await statusOf(cli), 'finished')
  assert.match((await cli.run('diff', 'one', '--stat')).out, /once\.txt.*\n.*twice\.txt/)
})

test('Ctrl-C: the job goes back to the queue with its work, and nothing of it runs', async () => {
  using cli = new CommandLine(settings)
  const { prompt, pids } = patientAgent(cli)
  const run = cli.startInConsole('run', '--name', 'one', prompt)
  let said = ''
  run.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const processes = await tree(pids)
  run.stdin?.write('c')
  const [code] = (await once(run, 'close')) as [number | null]
  assert.deepEqual([code, said.split('\n', 1)[0]], [130, 'SIGINT: stopping; what runs goes back to the queue'])
  await gone(processes)
  assert.equal(await statusOf(cli), 'queued')
  assert.equal((await cli.run('run')).code, 0)
  assert.equal(await statusOf(cli), 'finished')
})

test('another process stops the job', async () => {
  using cli = new CommandLine(settings)
  const { prompt, pids } = patientAgent(cli)
  const run = cli.start('run', '--name', 'one', prompt)
  const processes = await tree(pids)
  assert.equal((await cli.run('stop', 'one')).code, 0)
  await once(run, 'close')
  await gone(processes)
  assert.equal(await statusOf(cli), 'cancelled')
})

test('exec: streams, exit code, and nothing stored', async () => {
  using cli = new CommandLine(settings)
  const script = 'process.stdout.write(process.argv[1]); console.error("bad"); process.exit(7)'
  const said = await cli.run('exec', '--', process.execPath, '-e', script, 'a b"c\\')
  assert.deepEqual([said.code, said.out, said.err.trim().split('\n').at(-1)?.trim()], [7, 'a b"c\\', 'bad'])
  const missing = await cli.run('exec', '--', 'no-such-program')
  assert.equal(missing.code, 127)
})
