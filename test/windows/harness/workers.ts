import type { Tools } from './fetch.ts'
import type { CaseFile } from './groups.ts'
import { Prefix } from './prefix.ts'
import { type Bench, type FileResult, isOfWine, runFile } from './run-file.ts'

export interface Work {
  readonly files: readonly CaseFile[]
  readonly template: string
  /** Paths for prefixes: as many files run at the same time. */
  readonly prefixes: readonly string[]
  readonly stage: string
  readonly tools: Tools
  readonly logs: string
  readonly patience: number
}

/** Each worker has a prefix of its own. */
export async function runAll(work: Work, done: (result: FileResult) => void): Promise<void> {
  const queue = [...work.files]
  await Promise.all(work.prefixes.slice(0, queue.length).map((path) => runSome(work, path, queue, done)))
}

async function runSome(work: Work, path: string, queue: CaseFile[], done: (result: FileResult) => void): Promise<void> {
  let prefix: Prefix | undefined
  /** A new one, too, when the wineserver of the last one died. */
  const bench = async (): Promise<Bench> => {
    if (prefix === undefined || prefix.crash !== undefined) {
      await prefix?.[Symbol.asyncDispose]()
      prefix = await Prefix.create(work.template, path)
    }
    return { ...work, prefix }
  }
  try {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) done(await runTwice(file, bench))
  } finally {
    await prefix?.[Symbol.asyncDispose]()
  }
}

/** Once more where a case failed for a reason of Wine’s own. What fails then, failed. */
async function runTwice(file: CaseFile, bench: () => Promise<Bench>): Promise<FileResult> {
  const first = await runFile(file, await bench())
  const fault = first.cases.find((one) => one.outcome === 'failed' && isOfWine(one))
  if (fault === undefined) return first
  console.log(`again  ${file.group}/${file.name}: Wine failed in "${fault.name}": ${fault.error?.split('\n', 1)[0] ?? ''}`)
  return { ...(await runFile(file, await bench())), again: true }
}
