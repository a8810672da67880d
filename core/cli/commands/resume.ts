import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const resume: Verb = {
  register(program, context) {
    const command = onRepository(program.command('resume')).description('Start queued jobs again')
    withJson(command, 'the new state').action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        app.resume()
        tell(context, options, 'the queue is resumed', { paused: false })
      })
    })
    examples(command, ['bulkhead resume'])
  },
}
