import { Command, CommanderError } from 'commander'
import { readFileSync } from 'node:fs'
import { BulkheadError, errorCatalogue } from '../contracts/error.ts'
import { nearest } from '../contracts/nearest.ts'
import { packageRoot } from './package-root.ts'
import { reportError } from './render/error.ts'
import type { VerbContext } from './verb.ts'
import { type VerbName, verbs } from './verbs.ts'

/** Runs one command line and returns the exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], world: Omit<VerbContext, 'exit' | 'all'>): Promise<number> {
  let code = 0
  const debug = world.variables['BULKHEAD_DEBUG'] === '1'
  try {
    const context: VerbContext = { ...world, all: () => buildProgram([], context), exit: (value) => void (code = value) }
    const program = await buildProgram(argv, context)
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const own = argv[0] === 'exec'
    const report = reportError(error instanceof CommanderError ? usageError(error, argv) : error, { json: wantsJson(argv), debug })
    for (const line of report.lines) world.terminal.note(line)
    // env(1) and docker-run(1): 125 is the wrapper's own failure; 126 and 127 are the command's.
    return own && report.exit !== 126 && report.exit !== 127 && report.exit !== 130 ? 125 : report.exit
  }
}

/** The whole command line, or only the part that `argv` needs: the other verbs are never loaded. */
async function buildProgram(argv: readonly string[], context: VerbContext): Promise<Command> {
  const program = new Command('bulkhead')
    .description('Runs many coding agents on one repository, each in an enforced workspace, and merges only what you approve.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .enablePositionalOptions()
    .configureOutput({ writeOut: (text) => context.terminal.raw(text), writeErr: () => {}, outputError: () => {} })
    .exitOverride()
    .helpCommand('help [command]', 'show help of a command')
  const wanted = argv[0]
  if (wanted !== undefined && Object.hasOwn(verbs, wanted)) {
    const verb = await verbs[wanted as VerbName]()
    verb.register(program, context)
    return program
  }
  for (const load of Object.values(verbs)) (await load()).register(program, context)
  program.addHelpText('after', footer)
  const asked = wanted === 'help' ? argv[1] : wanted
  if (wanted === undefined) program.action(() => program.outputHelp())
  else if (asked !== undefined && !asked.startsWith('-') && asked !== 'help' && !Object.hasOwn(verbs, asked)) throw unknownVerb(asked)
  return program
}

const footer = `
Examples:
  bulkhead init && bulkhead doctor
  bulkhead run "Rename Foo to Bar everywhere"
  bulkhead ls && bulkhead diff rename-foo-to-bar && bulkhead approve rename-foo-to-bar && bulkhead merge
  bulkhead exec --allow registry.example.com -- npm install

Exit codes:
  0 done   1 a job failed   2 configuration or usage   3 the host lacks something   4 refused by policy or enforcement
  5 a merge or review could not go on   70 a defect   130, 143 stopped by SIGINT, SIGTERM   (bulkhead exec: those of its command)`

function unknownVerb(name: string): BulkheadError {
  const meant = nearest(name, Object.keys(verbs))
  const hint = meant === undefined ? '' : `Did you mean "${meant}"? `
  return new BulkheadError('usage_invalid', `there is no command "${name}"`, { remedy: `${hint}bulkhead --help lists the commands.` })
}

/** Commander's own messages begin with "error: " and may suggest on a second line. It shows its help where a second word is missing. */
function usageError(error: CommanderError, argv: readonly string[]): BulkheadError {
  if (error.code === 'commander.help') {
    return new BulkheadError('usage_invalid', `${argv[0]} needs a command of its own`, { remedy: `bulkhead ${argv[0]} --help lists them.` })
  }
  const text = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')
  const [, message = text, hint] = /^(.*?)(?: \((Did you mean .*\?)\))?$/.exec(text) ?? []
  const first =
    argv[0]?.startsWith('-') === true
      ? 'Options stand after the command. bulkhead --help lists the commands.'
      : errorCatalogue.usage_invalid.remedy
  const remedy = `${hint === undefined ? '' : `${hint} `}${first}`
  return new BulkheadError('usage_invalid', message, { remedy })
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json')
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('package.json', packageRoot()), 'utf8')) as { version: string }).version
}
