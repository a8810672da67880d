import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import type { Verb } from '../verb.ts'

const stoppable = ['queued', 'preparing', 'running', 'waiting']

export const stop: Verb = {
  register(program, context) {
    const command = onRepository(program.command('stop'))
      .argument('[job...]', 'names or ids')
      .description('Stop jobs with their whole process tree; what they changed is kept')
      .option('-a, --all', 'every job that is queued or at work')
    command.action(async (names: string[], options: CommonOptions & { all?: boolean }) => {
      if (names.length === 0 && options.all !== true) {
        throw new BulkheadError('usage_invalid', 'no job is named', { remedy: 'Name jobs, or use --all.' })
      }
      await inRepository(context, options, async (app) => {
        const open = app.jobs().filter(({ status, removed, cancelRequested }) => !removed && !cancelRequested && stoppable.includes(status))
        for (const name of options.all === true ? open.map(({ spec }) => spec.id) : names) {
          const done = app.cancel(name)
          context.terminal.out(`${done === 'cancelled' ? 'stopped' : 'stopping'} ${app.job(name).spec.name}`)
        }
      })
    })
    examples(command, ['bulkhead stop fix-flaky-test', 'bulkhead stop --all'])
  },
}
