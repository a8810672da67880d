import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

const stoppable = ['queued', 'preparing', 'running', 'waiting']

export const stop: Verb = {
  register(program, context) {
    const command = onRepository(program.command('stop'))
      .argument('[job...]', 'names or ids')
      .description('Stop jobs with their whole process tree; what they changed is kept')
      .option('-a, --all', 'every job that is queued or at work')
    withJson(command, 'what was stopped, one object per line,').action(
      async (names: string[], options: CommonOptions & { all?: boolean }) => {
        if (names.length === 0 && options.all !== true) {
          throw new BulkheadError('usage_invalid', 'no job is named', { remedy: 'Name jobs, or use --all.' })
        }
        await inRepository(context, options, async (app) => {
          const open = app
            .jobs()
            .filter(({ status, removed, cancelRequested }) => !removed && !cancelRequested && stoppable.includes(status))
          for (const name of options.all === true ? open.map(({ spec }) => spec.id) : names) {
            const done = app.cancel(name)
            const { spec } = app.job(name)
            const line = `${done === 'cancelled' ? 'stopped' : 'stopping'} ${spec.name}`
            tell(context, options, line, { job: spec.id, name: spec.name, stopped: done })
          }
        })
      },
    )
    examples(command, ['bulkhead stop fix-flaky-test', 'bulkhead stop --all'])
  },
}
