import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchTools, type Tools } from './fetch.ts'
import { caseFiles } from './groups.ts'
import { type Options, parseOptions } from './options.ts'
import { prefixTemplate } from './prefix.ts'
import { stageProduct } from './stage.ts'
import { printFile, printSummary } from './summary.ts'
import { installSystem } from './system.ts'
import { runAll } from './workers.ts'
import { killPrefix, steadyStarts } from './wine.ts'
import type { FileResult } from './run-file.ts'

const workName = 'bulkhead-windows-'

/** Removes what runs left that were killed an hour ago: their processes, by prefix, and their files. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(workName) ? Number(name.slice(workName.length).split('-')[0]) : Number.NaN
    const work = join(tmpdir(), name)
    if (!Number.isInteger(pid) || existsSync(`/proc/${pid}`) || existsSync(join(work, keptMark))) continue
    // A run in another container that shares this directory has a process id that is not seen here.
    if (Date.now() - statSync(work).mtimeMs < 3_600_000) continue
    for (const entry of readdirSync(work)) if (entry.startsWith('prefix-')) killPrefix(join(work, entry))
    rmSync(work, { recursive: true, force: true })
  }
}

/** Marks what `--keep` keeps. */
const keptMark = 'kept'

/** Exit code: 0 when everything passed, 1 when a case failed or was missing, 3 when the bed could not be made. */
export async function main(argv: readonly string[]): Promise<number> {
  const started = Date.now()
  const say = (line: string): void => console.log(`windows: ${line}`)
  let options: Options
  let template: string
  let tools: Tools
  try {
    options = parseOptions(argv)
    await installSystem(say)
    ;[template, tools] = await Promise.all([prefixTemplate(say), fetchTools(say)])
  } catch (error) {
    console.error(`windows: ${error instanceof Error ? error.message : String(error)}`)
    return 3
  }
  sweep()
  const work = mkdtempSync(join(tmpdir(), `${workName}${process.pid}-`))
  const prefixes = Array.from({ length: options.workers }, (_, index) => join(work, `prefix-${index + 1}`))
  const cleanUp = (): void => {
    for (const prefix of prefixes) killPrefix(prefix)
    if (options.keep) writeFileSync(join(work, keptMark), '')
    else rmSync(work, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      cleanUp()
      process.exit(130)
    })
  }
  try {
    const stage = join(work, 'stage')
    if (!steadyStarts) say('setarch may not switch off address randomization here: Wine will fail to start a program now and then')
    say('building and staging')
    await stageProduct(stage, tools)
    const files = caseFiles(options.groups, options.file)
    if (files.length === 0) throw new Error('no case file has that name')
    const results: FileResult[] = []
    await runAll({ files, template, prefixes, stage, tools, logs: join(work, 'logs'), patience: options.patience }, (result) => {
      results.push(result)
      printFile(result)
    })
    return printSummary(results, { whole: options.file === '', groups: options.groups, seconds: (Date.now() - started) / 1000 })
  } catch (error) {
    console.error(`windows: ${error instanceof Error ? error.message : String(error)}`)
    return 3
  } finally {
    cleanUp()
    if (options.keep) say(`kept in ${work}`)
  }
}
