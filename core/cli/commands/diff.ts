import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb } from '../verb.ts'

export const diff: Verb = {
  register(program, context) {
    const command = onRepository(program.command('diff'))
      .argument('<job>', 'name or id')
      .description('Review what a job changed, risk flags first')
      .option('--stat', 'only which files changed, and how much')
    withJson(command, 'the review').action(async (name: string, options: CommonOptions & { stat?: boolean }) => {
      await inRepository(context, options, async (app) => {
        const { terminal } = context
        const { spec, commit, status } = app.job(name)
        if (commit === null) {
          const done = status === 'finished' || status === 'failed' || status === 'cancelled'
          throw new BulkheadError(
            'usage_wrong_state',
            done ? `${spec.name} changed nothing` : `${spec.name} is ${status}, so there is nothing to review yet`,
            {
              remedy: 'See bulkhead ls for jobs that are finished.',
            },
          )
        }
        const review = await app.workspaces.review(commit, spec.base)
        if (options.json === true) return terminal.json({ name: spec.name, ...review })
        for (const { kind, path, detail } of review.flags) terminal.out(escapeLine(`! ${kind}: ${path}: ${detail}`))
        if (review.flags.length > 0) terminal.out('')
        terminal.raw(await app.workspaces.diff(commit, spec.base, { color: terminal.live, stat: options.stat === true }))
        terminal.note(`Tree ${review.tree}. Approve it with: bulkhead approve ${spec.name}`)
      })
    })
    examples(command, [
      'bulkhead diff fix-flaky-test',
      'bulkhead diff fix-flaky-test --stat',
      'bulkhead diff fix-flaky-test --json | jq .flags',
    ])
  },
}
