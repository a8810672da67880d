import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const pause: Verb = {
  register(program, context) {
    const command = onRepository(program.command('pause')).description('Start no more jobs until the queue is resumed; jobs at work go on')
    withJson(command, 'the new state').action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        app.pause()
        tell(context, options, 'the queue is paused', { paused: true })
      })
    })
    examples(command, ['bulkhead pause'])
  },
}
