import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const approve: Verb = {
  register(program, context) {
    const command = onRepository(program.command('approve'))
      .argument('<job...>', 'names or ids')
      .description('Approve finished work: exactly the tree it has now may land')
      .option('--tree <hash>', 'only if this is the tree that was looked at')
    withJson(command, 'what was approved, one object per line,').action(
      async (names: string[], options: CommonOptions & { tree?: string }) => {
        await inRepository(context, options, async (app) => {
          for (const name of names) {
            const tree = await app.approve(name, options.tree)
            const { spec } = app.job(name)
            tell(context, options, `approved ${spec.name} (tree ${tree.slice(0, 12)})`, { job: spec.id, name: spec.name, approved: tree })
          }
          if (options.json !== true) context.terminal.note('Land what is approved with: bulkhead merge')
        })
      },
    )
    examples(command, ['bulkhead diff fix-flaky-test && bulkhead approve fix-flaky-test', 'bulkhead approve fix-flaky-test add-docs'])
  },
}
