import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb } from '../verb.ts'

export const recover: Verb = {
  register(program, context) {
    const command = onRepository(program.command('recover')).description(
      'Undo or finish what a process left that was killed; bulkhead run and bulkhead merge do it by themselves',
    )
    withJson(command, 'what was done').action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        const done = await app.recover()
        if (options.json === true) return context.terminal.json(done)
        for (const line of done) context.terminal.out(escapeLine(line))
        if (done.length === 0) context.terminal.note('Nothing was left behind.')
      })
    })
    examples(command, ['bulkhead recover'])
  },
}
