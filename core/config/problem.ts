import { BulkheadError } from '../contracts/error.ts'
import type { ErrorCode } from '../contracts/error.ts'

/** One broken rule of a configuration file, shown as one line: `file:line:column: rule; remedy`. */
export interface Problem {
  readonly code: ErrorCode
  /** `file:line:column`. */
  readonly where: string
  readonly rule: string
  /** One sentence. */
  readonly remedy: string
}

/**
 * Throws when there is a problem: as one BulkheadError, or, when there are several, one whose cause is an AggregateError of them all (the
 * command line prints each on its own line). Its code is that of the first.
 */
export function refuse(problems: readonly Problem[]): void {
  const errors = problems.toSorted(byPlace).map(({ code, where, rule, remedy }) => new BulkheadError(code, rule, { where, remedy }))
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1) throw first
  throw new BulkheadError(first.code, `the configuration breaks ${errors.length} rules`, { cause: new AggregateError(errors) })
}

/** In the order of the file; what stands at no position comes first. */
function byPlace(left: Problem, right: Problem): number {
  const [leftLine = 0, leftColumn = 0] = numbers(left.where)
  const [rightLine = 0, rightColumn = 0] = numbers(right.where)
  return leftLine - rightLine || leftColumn - rightColumn
}

function numbers(where: string): number[] {
  return /:(\d+):(\d+)$/.exec(where)?.slice(1).map(Number) ?? []
}
