import { type GroupName, groupNames, groups } from './groups.ts'
import type { FileResult } from './run-file.ts'

export function printFile({ file, cases, output, seconds }: FileResult): void {
  const failed = cases.filter(({ outcome }) => outcome === 'failed')
  const verdict = failed.length === 0 ? 'ok    ' : 'FAILED'
  console.log(`${verdict} ${file.group}/${file.name}  ${cases.length} cases, ${seconds.toFixed(1)} s`)
  for (const { name, outcome } of cases) if (outcome === 'skipped') console.log(`  skipped: ${name}`)
  for (const { name, error } of failed) console.log(indented(`failed: ${name}\n${error ?? ''}`))
  if (failed.length > 0 && output.trim() !== '') console.log(indented(`printed:\n${output.slice(-8000)}`))
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '  ')
}

/** Files that may be run again because of Wine. */
const mostAgain = 5

interface Run {
  /** No file was selected, so the floors hold. */
  readonly whole: boolean
  /** Empty: all. */
  readonly groups: readonly GroupName[]
  readonly seconds: number
}

/** Prints one line for each group and, as the last line, everything for machines. Returns the exit code. */
export function printSummary(results: readonly FileResult[], run: Run): number {
  const ran: Record<string, { passed: number; failed: number; skipped: number }> = {}
  const missing: string[] = []
  for (const name of groupNames.filter((group) => run.groups.length === 0 || run.groups.includes(group))) {
    const cases = results.filter(({ file }) => file.group === name).flatMap((result) => result.cases)
    const count = (outcome: string): number => cases.filter((one) => one.outcome === outcome).length
    const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
    ran[name] = counts
    const { title, floor } = groups[name]
    const short = run.whole && counts.passed + counts.failed < floor
    if (short) missing.push(name)
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
    console.log(`${title}: ${counts.passed} passed, ${counts.failed} failed${skipped}${short ? `, but at least ${floor} must run` : ''}`)
  }
  const sum = (key: 'passed' | 'failed'): number => Object.values(ran).reduce((total, counts) => total + counts[key], 0)
  const again = results.filter((result) => result.again).map(({ file }) => `${file.group}/${file.name}`)
  if (again.length > mostAgain) console.log(`${again.length} files were run again; more than ${mostAgain} is not Wine’s doing any more`)
  const failed = sum('failed') + missing.length + Number(again.length > mostAgain)
  const summary = {
    suite: 'windows',
    passed: sum('passed'),
    failed,
    seconds: Math.round(run.seconds),
    groups: ran,
    belowFloor: missing,
    again,
  }
  console.log(JSON.stringify(summary))
  return failed === 0 && summary.passed > 0 ? 0 : 1
}
