import type { Command } from 'commander'
import { Argument } from 'commander'
import { examples } from '../app.ts'
import { completionScript, type Completions } from '../render/completion.ts'
import type { Verb } from '../verb.ts'

export const completion: Verb = {
  register(program, context) {
    const command = program
      .command('completion')
      .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
      .description('Print the completion script of a shell')
    command.action(async (shell: 'bash' | 'zsh' | 'fish') => {
      context.terminal.raw(completionScript(shell, completionsOf(await context.all())))
    })
    examples(command, [
      'source <(bulkhead completion bash)',
      'bulkhead completion zsh > ~/.zfunc/_bulkhead',
      'bulkhead completion fish | source',
    ])
  },
}

/** Verbs that take the names of jobs. */
const jobVerbs = ['show', 'logs', 'diff', 'approve', 'reject', 'merge', 'stop', 'rm']

function completionsOf(program: Command): Completions {
  return program.commands.map((command) => ({
    verb: command.name(),
    summary: command.description(),
    options: command.options.flatMap(({ long, description }) => (long === undefined || long === null ? [] : [{ long, description }])),
    jobs: jobVerbs.includes(command.name()),
  }))
}
