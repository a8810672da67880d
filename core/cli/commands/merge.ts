import type { MergeResult } from '../../compose.ts'
import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { followEvents } from '../follow.ts'
import { Interrupt } from '../interrupt.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb, VerbContext } from '../verb.ts'

export const merge: Verb = {
  register(program, context) {
    const command = onRepository(program.command('merge'))
      .argument('[job...]', 'names or ids; without any: all that are approved')
      .description('Land approved work: gates run on the very commit that lands, then the target moves')
    withJson(command, 'events and results, one per line,').action(async (names: string[], options: CommonOptions) => {
      using interrupt = new Interrupt()
      await inRepository(context, options, async (app) => {
        for (const line of await app.recover()) context.terminal.note(escapeLine(line))
        const follow = followEvents(app, context.terminal, { json: options.json === true })
        let results: readonly MergeResult[]
        try {
          results = await app.merge({ jobs: names.length === 0 ? 'approved' : names, signal: interrupt.stop })
        } finally {
          follow[Symbol.dispose]()
        }
        report(context, results, options.json === true)
        if (interrupt.exit !== null) context.exit(interrupt.exit)
      })
    })
    examples(command, ['bulkhead merge', 'bulkhead merge fix-flaky-test', 'bulkhead merge --json'])
  },
}

/** Every job that did not land is told; the exit code is that of the first. */
function report(context: VerbContext, results: readonly MergeResult[], json: boolean): void {
  if (json) {
    for (const { job, landed, error } of results) {
      const failure = error === null ? null : { code: error.code, message: error.message, remedy: error.remedy }
      context.terminal.json({ type: 'result', job: job.id, name: job.name, landed, error: failure })
    }
  } else if (results.length === 0) {
    context.terminal.note('Nothing is approved. See bulkhead ls, then bulkhead diff and bulkhead approve.')
  }
  for (const { job, landed } of results) {
    if (landed?.checkout === 'behind' && !json) {
      context.terminal.note(
        `${job.name} landed on ${job.target}, but your checkout of it was left as it is; update it with: git merge --ff-only`,
      )
    }
  }
  const errors = results.flatMap(({ job, error }) => (error === null ? [] : [named(error, job.name)]))
  if (errors.length === 1 && errors[0] !== undefined) throw errors[0]
  if (errors.length > 1)
    throw new BulkheadError(errors[0]?.code ?? 'internal', `${errors.length} jobs did not land`, { cause: new AggregateError(errors) })
}

function named(error: BulkheadError, job: string): BulkheadError {
  return error.details.job === undefined ? new BulkheadError(error.code, error.message, { ...error.details, job, cause: error }) : error
}
