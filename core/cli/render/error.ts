import { BulkheadError } from '../../contracts/error.ts'
import { escapeJson, escapeLine } from './escape.ts'

export interface ErrorReport {
  /** One line for each thing that is wrong. */
  readonly lines: readonly string[]
  readonly exit: number
}

/** The one place that turns errors into lines. See docs/errors.md for the form. */
export function reportError(thrown: unknown, options: { readonly json: boolean; readonly debug: boolean }): ErrorReport {
  const error = asBulkheadError(thrown)
  const all = parts(error)
  const lines = all.map((one) => (options.json ? escapeJson(asJson(one)) : errorLine(one)))
  // Escaped line by line: a stack can quote what an agent wrote.
  if (options.debug) lines.push(...stackOf(thrown).map((line) => escapeLine(line)))
  return { lines, exit: error.exitCode }
}

function errorLine(error: BulkheadError): string {
  const { where } = error.details
  const message = sentence(error.message)
  const advice = `; ${error.remedy}`
  // As compilers write it, so that editors can jump there.
  if (where !== undefined && /:\d+:\d+$/.test(where)) return escapeLine(`${where}: ${message}${advice}`, 4000)
  const place = where?.replaceAll('\n', ', ') ?? error.details.job
  const named = place === undefined || message.includes(place) ? '' : ` (${place})`
  return escapeLine(`bulkhead: ${message}${named}${advice}`, 4000)
}

/** What stands in a list of things that went wrong counts one by one. */
function parts(error: BulkheadError): BulkheadError[] {
  const list: unknown[] = error.cause instanceof AggregateError ? error.cause.errors : []
  return list.length > 0 && list.every((one) => BulkheadError.is(one)) ? list : [error]
}

function asJson({ code, message, details, remedy, exitCode }: BulkheadError): object {
  return { code, message, where: details.where ?? null, job: details.job ?? null, remedy, exit: exitCode }
}

function asBulkheadError(thrown: unknown): BulkheadError {
  if (BulkheadError.is(thrown)) return thrown
  const { code, path } = (thrown ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BulkheadError('host_no_space', 'the disk is full', { ...(path !== undefined && { where: path }), cause: thrown })
  }
  return BulkheadError.from(thrown)
}

function stackOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return []
  const own = (thrown.stack ?? '').split('\n')
  return thrown.cause === undefined ? own : [...own, 'caused by:', ...stackOf(thrown.cause)]
}

/** Without the final stop, which comes after the remedy. */
function sentence(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '')
}
