import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JobView } from '../../../core/contracts/index.ts'
import { CommandLine } from './command-line.ts'
import { Bait, type Tried } from './voyage-tries.ts'

interface VoyageOptions {
  /** What must come of what the agent tries outside its workspace. */
  readonly tried: Tried
  /** The job once it is to be reviewed. */
  readonly look?: (job: JobView) => void
  /** The environment for which the machine is set up before and put back afterwards. */
  readonly setUp?: string
}

/**
 * The whole life of a job through the command line: queue, workspace, agent, review, approval, gate, merge, removal. `settings` chooses the
 * environment in the user's configuration, and nothing else does: the same voyage passes in every environment of this system.
 */
export async function voyage(settings: string, { tried, look, setUp }: VoyageOptions): Promise<void> {
  const node = process.execPath.replaceAll("'", "''")
  using cli = new CommandLine(`${settings}
agents:
  node: {adapter: agent-command, command: ['${node}', -e, '{prompt}']}
gates:
  - {name: counted, command: ['${node}', -e, 'process.exit(require("fs").readFileSync("work.txt", "utf8").length === 5 ? 0 : 1)']}
`)
  if (setUp !== undefined) await succeeds(cli, 'setup', setUp, '--accounts', '2')
  await using bait = await Bait.lay(cli)
  const before = bait.lists()
  const agent = `
    const { execFileSync } = require('child_process'), fs = require('fs')
    const git = (...argv) => execFileSync('git', argv, { encoding: 'utf8' })
    fs.writeFileSync('work.txt', 'work\\n')
    fs.writeFileSync('tools/run.sh', '#!/bin/sh\\necho run\\n')
    console.log('status', JSON.stringify(git('status', '--porcelain')), git('branch', '--show-current').trim())
    git('add', '--all')
    git('commit', '--quiet', '--message', 'by the agent')
    console.log('said', String.fromCharCode(27) + '[2Jthis')
    ${bait.script}`
  const ran = await cli.run('run', '--name', 'one', agent)
  assert.deepEqual([ran.code, ran.err], [0, 'To review: bulkhead diff one\n'], ran.out + (await cli.run('logs', 'one')).out)
  const jobs = JSON.parse((await cli.run('ls', '--json')).out) as readonly JobView[]
  assert.deepEqual(
    jobs.map(({ spec, status }) => [spec.name, status]),
    [['one', 'finished']],
  )
  look?.(jobs[0] as JobView)
  const log = (await cli.run('logs', 'one')).out
  const [, outcomes] = /^status " M tools\/run\.sh\\n\?\? work\.txt\\n" bulkhead\/one\nsaid \^\[\[2Jthis\ntried (\{.*\})\n$/.exec(log) ?? []
  assert.deepEqual(JSON.parse(outcomes ?? log), tried)
  assert.deepEqual(bait.lists(), before)
  assert.match((await cli.run('diff', 'one')).out, /\+work/)
  assert.equal((await cli.run('approve', 'one')).code, 0)
  const merged = await cli.run('merge')
  assert.deepEqual([merged.code, merged.err], [0, ''])
  assert.match(merged.out, /one: gate counted passed in .*\none: landed on refs\/heads\/main as [0-9a-f]{12}\n$/)
  // The checkout followed, with the line ends that Git for Windows sets for everybody, and nothing else is changed.
  assert.equal(readFileSync(join(cli.repository, 'work.txt'), 'latin1'), 'work\r\n')
  assert.equal(cli.git('status', '--porcelain'), '')
  assert.equal(cli.git('show', 'main:work.txt'), 'work\n')
  assert.match(cli.git('ls-tree', 'main', 'tools/run.sh'), /^100755 /)
  assert.match(cli.git('log', '-1', '--format=%B', 'main'), /Bulkhead-Job: /)
  const removed = await cli.run('rm', '--merged')
  assert.deepEqual([removed.code, removed.out], [0, 'removed one\n'], removed.err)
  assert.match((await cli.run('audit', 'verify')).out, /^\d+ events, the chain is intact\n$/)
  assert.equal(cli.git('worktree', 'list', '--porcelain').match(/^worktree /gm)?.length, 1)
  assert.equal(cli.git('for-each-ref', '--format=%(refname)'), 'refs/heads/main\n')
  if (setUp !== undefined) {
    await succeeds(cli, 'setup', setUp, '--remove')
    assert.match(await succeeds(cli, 'setup', setUp, '--remove'), /^$/)
  }
}

async function succeeds(cli: CommandLine, ...argv: readonly string[]): Promise<string> {
  const { code, out, err } = await cli.run(...argv)
  assert.equal(code, 0, `bulkhead ${argv.join(' ')}: ${out}${err}`)
  return out
}
