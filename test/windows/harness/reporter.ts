import type { TestEvent } from 'node:test/reporters'

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
    const error = failed ? String((event.data.details.error.cause as Error | undefined)?.stack ?? event.data.details.error) : null
    yield `${JSON.stringify({ name, ms: Math.round(details.duration_ms), outcome: outcomeOf(failed, skip, todo), error })}\n`
  }
  yield `${JSON.stringify({ marker: 'end', cases })}\n`
}

type Flag = boolean | string | undefined

function outcomeOf(failed: boolean, skip: Flag, todo: Flag): 'passed' | 'failed' | 'skipped' {
  if (failed) return 'failed'
  return skip === undefined && todo === undefined ? 'passed' : 'skipped'
}
