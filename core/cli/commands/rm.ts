import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import type { Verb } from '../verb.ts'

export const rm: Verb = {
  register(program, context) {
    const command = onRepository(program.command('rm'))
      .argument('[job...]', 'names or ids')
      .description('Remove jobs and their workspaces; work that did not land is kept under a backup ref')
      .option('--merged', 'every job that has landed')
    withJson(command, 'what was removed, one object per line,').action(
      async (names: string[], options: CommonOptions & { merged?: boolean }) => {
        if (names.length === 0 && options.merged !== true) {
          throw new BulkheadError('usage_invalid', 'no job is named', { remedy: 'Name jobs, or use --merged.' })
        }
        await inRepository(context, options, async (app) => {
          const merged = app.jobs().filter(({ status, removed }) => !removed && status === 'merged')
          for (const name of options.merged === true ? merged.map(({ spec }) => spec.id) : names) {
            const { spec } = app.job(name)
            const backup = await app.remove(spec.id)
            const line = backup === null ? `removed ${spec.name}` : `removed ${spec.name}; its work is kept as ${backup}`
            tell(context, options, line, { job: spec.id, name: spec.name, removed: true, backup })
          }
        })
      },
    )
    examples(command, [
      'bulkhead rm fix-flaky-test',
      'bulkhead rm --merged',
      'git log refs/bulkhead/backup/fix-flaky-test   # after removing unmerged work',
    ])
  },
}
