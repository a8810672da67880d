import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { jobColumns, jobRow } from '../render/job.ts'
import { table } from '../render/table.ts'
import type { Verb } from '../verb.ts'

export const ls: Verb = {
  register(program, context) {
    const command = onRepository(program.command('ls'))
      .description('List jobs: status, changes, denials, how strong the walls are')
      .option('-a, --all', 'also removed jobs')
    withJson(command, 'the jobs').action(async (options: CommonOptions & { all?: boolean }) => {
      await inRepository(context, options, async (app) => {
        const jobs = app.jobs().filter((view) => options.all === true || !view.removed)
        if (options.json === true) return context.terminal.json(jobs)
        if (jobs.length === 0) return context.terminal.note('No jobs. Start one with: bulkhead run "what to do"')
        const now = Date.now()
        for (const line of table([jobColumns, ...jobs.map((view) => jobRow(view, now))])) context.terminal.out(line)
      })
    })
    examples(command, ['bulkhead ls', `bulkhead ls --json | jq -r '.[] | select(.status == "finished").spec.name'`])
  },
}
