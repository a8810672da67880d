import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tools } from './fetch.ts'
import { type CaseFile, groups } from './groups.ts'
import { windowsPath, windowsTests } from './places.ts'
import type { Prefix } from './prefix.ts'
import { programsOf, steadyStarts, wine, wineEnvironment } from './wine.ts'

export interface CaseResult {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly error: string | null
}

export interface FileResult {
  readonly file: CaseFile
  readonly cases: readonly CaseResult[]
  /** What the file's process printed. */
  readonly output: string
  readonly seconds: number
  /** The second run of it: Wine failed in the first. */
  readonly again: boolean
}

export interface Bench {
  readonly prefix: Prefix
  readonly stage: string
  readonly tools: Tools
  /** Where output goes. */
  readonly logs: string
  /** Seconds that one file may take. */
  readonly patience: number
}

/** Runs one file in a process of its own. Its results come through a file, since Windows Node cannot write to a Unix pipe. */
export async function runFile(file: CaseFile, bench: Bench): Promise<FileResult> {
  const { prefix, stage, tools, logs, patience } = bench
  const started = Date.now()
  const log = join(logs, file.group, file.name)
  mkdirSync(dirname(log), { recursive: true })
  // It may run a second time.
  for (const name of [`${log}.jsonl`, `${log}.double`]) rmSync(name, { recursive: true, force: true })
  const compiled = join(stage, 'dist', 'test', 'windows')
  prefix.wear(groups[file.group].double === null ? null : join(stage, 'double', 'system32'))
  const output = openSync(`${log}.txt`, 'w')
  const argv = [
    ...underDouble(file, log, bench),
    windowsPath(join(tools.node, 'node.exe')),
    '--enable-source-maps',
    `--test-reporter=file:///Z:${join(compiled, 'harness', 'reporter.js')}`,
    `--test-reporter-destination=${windowsPath(`${log}.jsonl`)}`,
    windowsPath(join(compiled, 'cases', file.group, `${file.name}.js`)),
  ]
  const env = { ...wineEnvironment(prefix.path, tools), BULKHEAD_STAGE: windowsPath(stage), BULKHEAD_GROUP: file.group }
  const child = spawn(...wine(...argv), { cwd: stage, env, stdio: ['ignore', output, output] })
  const timer = setTimeout(() => child.kill('SIGKILL'), patience * 1000)
  const ending = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(signal === null ? `exit ${code}` : `killed by ${signal}`))
  })
  clearTimeout(timer)
  closeSync(output)
  const cases = readResults(`${log}.jsonl`, `${ending} after ${Math.round((Date.now() - started) / 1000)} s`)
  const left = await leftBehind(prefix.path)
  if (left.length > 0) cases.push({ name: nothingKeepsRunning, outcome: 'failed', error: `left behind: ${left.join(', ')}` })
  if (prefix.crash !== undefined) cases.push({ name: theServerLives, outcome: 'failed', error: `ended by itself: ${prefix.crash}` })
  return { file, cases, output: readFileSync(`${log}.txt`, 'utf8'), seconds: (Date.now() - started) / 1000, again: false }
}

const theServerLives = 'the wineserver lives'
const nothingKeepsRunning = 'nothing keeps running'
const runsToItsEnd = 'the file runs to its end'

/**
 * What Wine itself does now and then: git hangs in its own end, a whole file hangs, or the wineserver ends. Where `steadyStarts` does not hold,
 * a program that is there cannot be started, too (ERROR_INTERNAL_ERROR, which is “spawn UNKNOWN” in Node).
 */
export function isOfWine({ name, error }: CaseResult): boolean {
  if (name === nothingKeepsRunning) return /^left behind: \S*\\git\.exe$/.test(error ?? '')
  if (name === theServerLives) return true
  if (name === runsToItsEnd) return /killed by SIGKILL/.test(error ?? '')
  return !steadyStarts && /\bspawn(Sync \S+)? UNKNOWN\b|\(win32 1359\)/.test(error ?? '')
}

/** Programs that a file left behind, a moment after its end. They are ended: the next file must not meet them. */
async function leftBehind(prefix: string): Promise<readonly string[]> {
  for (let waited = 0; waited < 3_000 && programsOf(prefix).size > 0; waited += 100) await sleep(100)
  const left = programsOf(prefix)
  for (const pid of left.keys()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended meanwhile.
    }
  }
  return [...left.values()]
}

/**
 * What goes before the command line of a file that runs under the double. Its settings: the programs and the staged product can be read by
 * everybody, as in `C:\\Program Files`; then those of the group, then those of the file itself (`cases/<group>/<name>.conf`).
 */
function underDouble({ group, name }: CaseFile, log: string, { stage, tools }: Bench): readonly string[] {
  const { double } = groups[group]
  if (double === null) return []
  const own = join(windowsTests, 'cases', group, `${name}.conf`)
  const settings = [
    ...[tools.node, join(tools.git, '..', '..'), stage].map((folder) => `tool ${windowsPath(folder)}`),
    ...double,
    ...(existsSync(own) ? [readFileSync(own, 'utf8')] : []),
  ]
  const state = `${log}.double`
  mkdirSync(state)
  writeFileSync(join(state, 'double.conf'), settings.map((line) => `${line}\n`).join(''))
  return [windowsPath(join(stage, 'double', 'double-run.exe')), windowsPath(state), '--']
}

/** The last line must be the marker with the right count; anything else is a failed case of its own. */
function readResults(path: string, ending: string): CaseResult[] {
  let lines: readonly (CaseResult & { readonly marker?: string; readonly cases?: number })[] = []
  try {
    lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CaseResult)
  } catch {
    // None, or cut off in the middle: the marker is missing then.
  }
  const marker = lines.at(-1)
  const cases = lines.filter((line) => line.marker === undefined)
  if (marker?.marker !== 'end' || marker.cases !== cases.length) {
    cases.push({ name: runsToItsEnd, outcome: 'failed', error: `no marker line: ${ending}` })
  } else if (cases.length === 0) {
    cases.push({ name: 'the file has cases', outcome: 'failed', error: 'none ran' })
  }
  return cases
}
