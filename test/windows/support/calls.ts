import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One call that the doubles recorded (`double/common/record.h`). */
export interface Call {
  readonly call: string
  readonly pid: number
  readonly in: Readonly<Record<string, unknown>>
  /** `0x0` is success. */
  readonly result: string
}

/** What the doubles of this run keep: beside the DLL that is in this process. */
function stateDirectory(): string {
  directory ??= findDirectory()
  return directory
}

let directory: string | undefined

/** Once only: a report takes seconds here. */
function findDirectory(): string {
  const { sharedObjects } = process.report.getReport() as { readonly sharedObjects: readonly string[] }
  const double = sharedObjects.find((name) => /kernel-double\.dll$/i.test(name))
  if (double === undefined) throw new Error('there is no double in this process')
  return dirname(double)
}

/** The calls of this run since `after`, oldest first. */
export function callsSince(after: number): readonly Call[] {
  let text: string
  try {
    text = readFileSync(join(stateDirectory(), 'calls.jsonl'), 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(after)
    .map((line) => JSON.parse(line) as Call)
}

/** Runs `act`; returns the calls it made, of this process alone, and what it threw. */
export async function recorded(act: () => Promise<unknown>): Promise<{ readonly calls: readonly Call[]; readonly error: unknown }> {
  const before = callsSince(0).length
  let error: unknown
  try {
    await act()
  } catch (thrown) {
    error = thrown
  }
  return { calls: callsSince(before).filter(({ pid }) => pid === process.pid), error }
}

let run = 0

/** `count`th call of `name` from now on, and what it then fails with. */
export type Fault = readonly [name: string, count: number, result: string]

/** While `act` runs, these calls fail and do nothing. */
export async function failing<T>(wanted: readonly Fault[], act: () => PromiseLike<T>): Promise<T> {
  const faults = join(stateDirectory(), 'faults.conf')
  writeFileSync(faults, [`run ${++run}`, ...wanted.map((fault) => fault.join(' '))].map((line) => `${line}\n`).join(''))
  try {
    return await act()
  } finally {
    rmSync(faults)
  }
}
