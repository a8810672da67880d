import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { packageRoot } from '../harness/places.ts'
import type { Mutation } from './mutation.ts'
import { mutations } from './mutations.ts'

/** What stays out of the copy: what is built, and what is linked instead. */
const leftOut = new Set(['.git', 'node_modules', 'dist', 'build'])

/** Exit code: 0 when every mutation was noticed, 1 when one was not or does not build, 3 when the bed does not even pass without one. */
export async function main(argv: readonly string[]): Promise<number> {
  const chosen = mutations.filter(({ id }) => argv.length === 0 || argv.some((part) => id.includes(part)))
  if (chosen.length === 0) {
    console.error(`mutations: none has that id; there are: ${mutations.map(({ id }) => id).join(', ')}`)
    return 2
  }
  const copy = mkdtempSync(join(tmpdir(), 'bulkhead-mutations-'))
  process.once('SIGINT', () => {
    rmSync(copy, { recursive: true, force: true })
    process.exit(130)
  })
  try {
    for (const name of readdirSync(packageRoot).filter((one) => !leftOut.has(one))) {
      cpSync(join(packageRoot, name), join(copy, name), { recursive: true, filter: (path) => !path.endsWith(join('native', 'build')) })
    }
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'))
    const cases = [...new Set(chosen.map((one) => one.cases))]
    for (const one of cases) {
      const { failed, passed, first } = await run(copy, one)
      console.log(`without a mutation  ${one}: ${passed} passed, ${failed} failed${first === '' ? '' : `, among them: ${first}`}`)
      if (failed !== 0 || passed === 0) return 3
    }
    let noticed = 0
    for (const [index, mutation] of chosen.entries()) {
      const started = Date.now()
      const verdict = await verdictOn(copy, mutation)
      if (verdict.startsWith('noticed')) noticed++
      console.log(`${index + 1}/${chosen.length}  ${mutation.id}  ${verdict}  (${Math.round((Date.now() - started) / 1000)} s)`)
    }
    console.log(`${noticed} passed, ${chosen.length - noticed} failed`)
    return noticed === chosen.length ? 0 : 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** In words; begins with `noticed` when it was. */
async function verdictOn(copy: string, { file, from, to, cases }: Mutation): Promise<string> {
  const path = join(copy, file)
  const original = readFileSync(path, 'utf8')
  const parts = original.split(from)
  if (parts.length !== 2) return `IS NONE: ${file} has its text ${parts.length - 1} times`
  writeFileSync(path, parts.join(to))
  try {
    const { failed, first } = await run(copy, cases)
    return failed > 0 ? `noticed by ${failed} of ${cases}, among them: ${first}` : `SURVIVED ${cases}`
  } catch (error) {
    return `IS NONE: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    writeFileSync(path, original)
  }
}

interface Outcome {
  readonly passed: number
  readonly failed: number
  /** Name of the first case that failed. */
  readonly first: string
}

/** Runs the cases `<group>/<file>` of the copy. A product that does not even build is no mutation: that throws. */
async function run(copy: string, cases: string): Promise<Outcome> {
  const [group = '', ...path] = cases.split('/')
  const bed = join(copy, 'test', 'windows', 'run.mjs')
  // Objects are kept: otherwise everything would be compiled anew for each mutation.
  const env = { ...process.env, BULKHEAD_NATIVE_OBJECTS: join(copy, 'native', 'build', 'objects') }
  // What hangs because a step is missing has been noticed.
  const argv = [bed, '--group', group, '--file', path.join('/'), '--patience', '60']
  const child = spawn(process.execPath, argv, { cwd: copy, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const line = stdout.split('\n').findLast((one) => one.startsWith('{"suite"'))
  if (line === undefined) throw new Error(`the bed did not run ${cases}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  const { passed, failed } = JSON.parse(line) as Outcome
  return { passed, failed, first: /failed: (.*)/.exec(stdout)?.[1] ?? '' }
}
