import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const reject: Verb = {
  register(program, context) {
    const command = onRepository(program.command('reject'))
      .argument('<job...>', 'names or ids')
      .description('Reject finished work; it is kept until the job is removed, and after that under a backup ref')
      .option('-m, --reason <text>', 'why', '')
    withJson(command, 'what was rejected, one object per line,').action(
      async (names: string[], options: CommonOptions & { reason: string }) => {
        await inRepository(context, options, async (app) => {
          for (const name of names) {
            await app.reject(name, options.reason)
            const { spec } = app.job(name)
            tell(context, options, `rejected ${spec.name}; its work is kept`, { job: spec.id, name: spec.name, rejected: options.reason })
          }
        })
      },
    )
    examples(command, ['bulkhead reject fix-flaky-test -m "changes the public API"'])
  },
}
