import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const audit: Verb = {
  register(program, context) {
    const group = program.command('audit').description('Check the record of what happened')
    const command = onRepository(group.command('verify')).description('Check that no event of the journal was changed, removed or inserted')
    withJson(command, 'the result').action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        const broken = app.journal.verify()
        const events = app.journal.events().length
        if (options.json === true) context.terminal.json({ events, intact: broken === undefined, firstBroken: broken ?? null })
        else if (broken === undefined) context.terminal.out(`${events} events, the chain is intact`)
        if (broken === undefined) return
        throw new BulkheadError('journal_corrupt', `the chain is broken at event ${broken}`, {
          remedy: 'Do not trust the journal from that event on; the refs under refs/bulkhead/ are not affected.',
        })
      })
    })
    const lines = ['bulkhead audit verify']
    examples(command, lines)
    examples(group, lines)
  },
}
