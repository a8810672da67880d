import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import { escapeLine } from '../render/escape.ts'
import type { Verb } from '../verb.ts'

export const approve: Verb = {
  register(program, context) {
    const command = onRepository(program.command('approve'))
      .argument('<job...>', 'names or ids')
      .description('Approve finished work: exactly the tree it has now may land')
      .option('--tree <hash>', 'only if this is the tree that was looked at')
    command.action(async (names: string[], options: CommonOptions & { tree?: string }) => {
      await inRepository(context, options, async (app) => {
        for (const name of names) {
          const tree = await app.approve(name, options.tree)
          context.terminal.out(escapeLine(`approved ${app.job(name).spec.name} (tree ${tree.slice(0, 12)})`))
        }
        context.terminal.note('Land what is approved with: bulkhead merge')
      })
    })
    examples(command, ['bulkhead diff fix-flaky-test && bulkhead approve fix-flaky-test', 'bulkhead approve fix-flaky-test add-docs'])
  },
}
