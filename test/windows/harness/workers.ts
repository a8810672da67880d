import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Tools } from './fetch.ts'
import { type CaseFile, groups } from './groups.ts'
import { Prefix } from './prefix.ts'
import { type FileResult, runFile } from './run-file.ts'

export interface Work {
  readonly files: readonly CaseFile[]
  readonly template: string
  /** Paths for prefixes: as many files run at the same time. */
  readonly prefixes: readonly string[]
  readonly stage: string
  readonly tools: Tools
  readonly logs: string
}

/** Each worker owns one prefix at a time and makes a new one when the next file needs another kind, or when its wineserver died. */
export async function runAll(work: Work, done: (result: FileResult) => void): Promise<void> {
  const queue = [...work.files]
  await Promise.all(work.prefixes.slice(0, queue.length).map((path) => runSome(work, path, queue, done)))
}

async function runSome(work: Work, path: string, queue: CaseFile[], done: (result: FileResult) => void): Promise<void> {
  let prefix: Prefix | undefined
  let kind: string | undefined
  try {
    for (;;) {
      const same = queue.findIndex(({ group }) => groups[group].prefix === kind)
      const [file] = queue.splice(Math.max(same, 0), 1)
      if (file === undefined) return
      if (prefix === undefined || prefix.crashed || groups[file.group].prefix !== kind) {
        await prefix?.[Symbol.asyncDispose]()
        prefix = await Prefix.create(work.template, path)
        kind = groups[file.group].prefix
        if (kind === 'doubles') prefix.install(systemDoubles(work.stage))
      }
      done(await runFile(file, { ...work, prefix }))
    }
  } finally {
    await prefix?.[Symbol.asyncDispose]()
  }
}

/** Doubles that take the place of one of Wine's own libraries: `double/build/system32/*`. */
function systemDoubles(stage: string): string[] {
  const folder = join(stage, 'test', 'windows', 'double', 'build', 'system32')
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}
