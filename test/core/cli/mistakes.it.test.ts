import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorCatalogue, type ErrorCode } from '../../../core/contracts/index.ts'
import { cliWorld, type CliWorld, finished, runInProcess, type Said } from '../../support/command-line.ts'
import { hostHas, packageRoot } from '../../support/host.ts'
import { configurationMistakes } from '../../support/mistakes/configuration.ts'
import { elsewhere } from '../../support/mistakes/elsewhere.ts'
import { failingConfiguration, failingJobs } from '../../support/mistakes/failing-jobs.ts'
import { machineMistakes } from '../../support/mistakes/machine.ts'
import { type Call, type Mistake, snapshot } from '../../support/mistakes/mistake.ts'
import { usageMistakes } from '../../support/mistakes/usage.ts'
import { workMistakes } from '../../support/mistakes/work.ts'

const mistakes: readonly Mistake[] = [...configurationMistakes, ...usageMistakes, ...machineMistakes, ...workMistakes]

async function make(world: CliWorld, call: Call, argv: readonly string[]): Promise<Said> {
  const { variables, directory, process: prefix, meanwhile } = call
  const [env, cwd] = [{ ...world.variables, ...variables }, directory ?? world.repository]
  const ended = new AbortController()
  let child: ChildProcess | undefined
  let said: Promise<Said>
  if (prefix === undefined) said = runInProcess(argv, env, cwd)
  else {
    const [program = '', ...rest] = [...prefix, process.execPath, join(packageRoot, 'dist/cli/main.js'), ...argv]
    child = spawn(program, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    said = finished(child)
  }
  const rest = meanwhile?.(world, ended.signal, child)
  try {
    const { code, out, err } = await said
    return { code, out, err }
  } finally {
    ended.abort()
    await rest
  }
}

/** The option goes behind the verb, where nobody takes it for an argument of a command. */
const asJson = (argv: readonly string[]): readonly string[] => argv.toSpliced(argv[0] === 'audit' ? 2 : 1, 0, '--json')

describe.concurrent('one line says what, where and what to do, and nothing is changed', () => {
  test.each(mistakes.map((mistake) => [mistake.code, mistake.what, mistake] as const))('%s: %s', async (code, _, mistake) => {
    const world = cliWorld()
    const call = await mistake.make(world)
    if (call.needs !== undefined && !hostHas(call.needs)) return
    const exit = call.argv[0] === 'exec' && !code.startsWith('launch_') ? 125 : errorCatalogue[code].exit
    const before = snapshot(world, call)

    const said = await make(world, call, call.argv)
    const lines = said.err.trimEnd().split('\n')
    if (call.says instanceof RegExp) expect(lines).toEqual([expect.stringMatching(call.says)])
    else expect(lines).toEqual([call.says].flat())
    expect(said.code).toEqual(exit)
    if (call.prints !== true && call.records !== true) expect(said.out).toBe('')
    for (const line of lines) expect(line).toMatch(/^(bulkhead: |\/\S+:\d+:\d+: )\S.*; [A-Z].*\.$/)
    expect(snapshot(world, call)).toEqual(before)

    if (call.machine === null) return
    const machine = await make(world, call, call.machine ?? asJson(call.argv))
    const errors = machine.err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { code: string; exit: number; remedy: string })
    expect(machine.code).toBe(exit)
    const codes = errors.map((error) => ({ code: error.code, exit: error.exit }))
    expect(codes).toEqual(lines.map(() => ({ code, exit: errorCatalogue[code].exit })))
    expect(errors.every(({ remedy }) => /^[A-Z].*\.$/.test(remedy))).toBe(true)
    expect(snapshot(world, call)).toEqual(before)
  })
})

test('jobs that cannot succeed say why in one line, in the listing of the run and in the journal', async () => {
  const world = cliWorld()
  world.configure(failingConfiguration)
  linkedBranch(world)
  const file = join(world.home, 'jobs.json')
  writeFileSync(file, JSON.stringify({ jobs: Object.entries(failingJobs).map(([name, { job }]) => ({ name, ...job })) }))
  const ran = await world.run('run', '-j', '4', '-f', file)
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 1, err: '' })
  for (const [name, { code, says }] of Object.entries(failingJobs)) {
    expect(ran.out.split('\n').filter((line) => line.startsWith(`${name}: failed: `))).toEqual([`${name}: failed: ${says}`])
    const { events } = JSON.parse((await world.run('show', '--json', name)).out) as { events: { type: string; data: { code?: string } }[] }
    expect(events.filter(({ type }) => type === 'job.failed').map(({ data }) => data.code)).toEqual([code])
  }
})

/** A branch whose tree has a link where the checkout has a directory with a local file in it. */
function linkedBranch(world: CliWorld): void {
  const { repository } = world
  const git = (...argv: readonly string[]): string => world.git(...argv)
  for (const name of ['.gitignore', '.worktreeinclude']) writeFileSync(join(repository, name), 'conf/local\n')
  git('add', '.')
  git('commit', '--quiet', '--message', 'Include')
  git('checkout', '--quiet', '-b', 'linked')
  symlinkSync('/etc', join(repository, 'conf'))
  git('add', 'conf')
  git('commit', '--quiet', '--message', 'Link')
  git('checkout', '--quiet', 'main')
  mkdirSync(join(repository, 'conf'))
  writeFileSync(join(repository, 'conf/local'), '')
}

test('every code of the catalogue is here', () => {
  const known = new Set([...mistakes.map(({ code }) => code), ...Object.values(failingJobs).map(({ code }) => code)])
  const missing = Object.keys(errorCatalogue).filter((code) => !known.has(code as ErrorCode) && !Object.hasOwn(elsewhere, code))
  expect(missing).toEqual([])
  for (const [code, { test: path }] of Object.entries(elsewhere)) {
    expect(known, code).not.toContain(code)
    expect(readFileSync(join(packageRoot, path), 'utf8'), path).toMatch(new RegExp(`\\b${code}\\b`))
  }
})
