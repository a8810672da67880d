import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb } from '../verb.ts'

export const reject: Verb = {
  register(program, context) {
    const command = onRepository(program.command('reject'))
      .argument('<job...>', 'names or ids')
      .description('Reject finished work; it is kept until the job is removed, and after that under a backup ref')
      .option('-m, --reason <text>', 'why', '')
    command.action(async (names: string[], options: CommonOptions & { reason: string }) => {
      await inRepository(context, options, async (app) => {
        for (const name of names) {
          await app.reject(name, options.reason)
          context.terminal.out(escapeLine(`rejected ${app.job(name).spec.name}; its work is kept`))
        }
      })
    })
    examples(command, ['bulkhead reject fix-flaky-test -m "changes the public API"'])
  },
}
