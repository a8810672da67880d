import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import type { Verb } from '../verb.ts'

export const pause: Verb = {
  register(program, context) {
    const command = onRepository(program.command('pause')).description('Start no more jobs until the queue is resumed; jobs at work go on')
    command.action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        app.pause()
        context.terminal.out('the queue is paused')
      })
    })
    examples(command, ['bulkhead pause'])
  },
}
