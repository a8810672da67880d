import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** Runs inside the case's own process. One JSON line for each case, and the marker line that decides: without it the file failed. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** Finished tests by depth since the last one above them: a test with tests inside is not a case itself. */
  const inside: number[] = []
  let cases = 0
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, nesting, details, skip, todo } = event.data
    const children = inside[nesting + 1] ?? 0
    inside.length = nesting + 1
    inside[nesting] = (inside[nesting] ?? 0) + 1
    const failed = event.type === 'test:fail'
    // A suite or a test around others counts only when it fails by itself, as by a hook.
    if (children > 0 && !failed) continue
    if (details.type === 'suite' && !failed) continue
    cases++
    const error = failed ? described(event.data.details.error.cause ?? event.data.details.error) : null
    yield `${JSON.stringify({ name, ms: Math.round(details.duration_ms), outcome: outcomeOf(failed, skip, todo), error })}\n`
  }
  yield `${JSON.stringify({ marker: 'end', cases })}\n`
}

/** What a person needs of it: no frames of node and of the assertions, and both values where a comparison failed. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  if ('suppressed' in error && 'error' in error)
    return `${described(error.suppressed)}\nand then, while cleaning up, ${described(error.error)}`
  const lines = (error.stack ?? String(error)).split('\n')
  const own = lines.filter((line) => !/^\s+at .*(?:node:|node_modules)/.test(line)).join('\n')
  const why = error.cause instanceof Error ? `\ncaused by: ${described(error.cause)}` : ''
  if (!('expected' in error) || !('actual' in error)) return own.slice(0, 4000) + why
  const show = (value: unknown): string => inspect(value, { depth: 6, maxStringLength: 1500, maxArrayLength: 40 }).slice(0, 3000)
  return `${own}\nexpected: ${show(error.expected)}\nactual:   ${show(error.actual)}`
}

type Flag = boolean | string | undefined

function outcomeOf(failed: boolean, skip: Flag, todo: Flag): 'passed' | 'failed' | 'skipped' {
  if (failed) return 'failed'
  return skip === undefined && todo === undefined ? 'passed' : 'skipped'
}
