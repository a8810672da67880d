import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import type { Verb } from '../verb.ts'

export const resume: Verb = {
  register(program, context) {
    const command = onRepository(program.command('resume')).description('Start queued jobs again')
    command.action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        app.resume()
        context.terminal.out('the queue is resumed')
      })
    })
    examples(command, ['bulkhead resume'])
  },
}
