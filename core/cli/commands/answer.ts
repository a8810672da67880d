import { Argument, InvalidArgumentError } from 'commander'
import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const answer: Verb = {
  register(program, context) {
    const command = onRepository(program.command('answer'))
      .argument('<job>', 'name or id')
      .addArgument(new Argument('<verdict>', 'what to say').choices(['allow', 'deny']))
      .description('Answer what an agent asks for; it waits until then, and a question that nobody answers in time is denied')
      .option('-q, --question <number>', 'which one, when several wait (default: the oldest)', questionNumber)
    withJson(command, 'the answer').action(async (job: string, verdict: string, options: CommonOptions & { question?: number }) => {
      await inRepository(context, options, async (app) => {
        const { on, object } = app.answer(job, verdict === 'allow', options.question ?? null)
        const { id, name } = app.job(job).spec
        tell(context, options, `${verdict === 'allow' ? 'allowed' : 'denied'} ${on} ${object}`, { job: id, name, on, object, verdict })
      })
    })
    examples(command, ['bulkhead answer fix-flaky-test allow', 'bulkhead answer fix-flaky-test deny --question 3'])
  },
}

function questionNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be the number that the question was given.')
  return Number(text)
}
