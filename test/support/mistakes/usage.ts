import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shellAgent, type CliWorld } from '../command-line.ts'
import type { Call, Mistake } from './mistake.ts'

const help = 'Add --help for what the command takes.'

const unknownEnvironment = 'environment "nope" is not configured; Did you mean "none"? Known: linux, none.'

type Says = string | ((world: CliWorld) => string)

const row = (code: Mistake['code'], what: string, argv: readonly string[], says: Says, more: Partial<Call> = {}): Mistake => ({
  code,
  what,
  make: (world) => {
    world.configure(shellAgent)
    return { argv, says: `bulkhead: ${typeof says === 'string' ? says : says(world)}`, ...more }
  },
})

const usage = (what: string, argv: readonly string[], says: Says, more: Partial<Call> = {}): Mistake =>
  row('usage_invalid', what, argv, says, more)

const exec = (what: string, argv: readonly string[], says: Says): Mistake => usage(what, ['exec', ...argv, '--', 'touch', 'ran'], says)

const unknownJob = (...argv: readonly string[]): Mistake =>
  row('usage_unknown_job', argv.join(' '), argv, 'There is no job "nope"; See bulkhead ls for the jobs there are.')

/** The command line itself; what commander finds is in program.test.ts. */
export const usageMistakes: readonly Mistake[] = [
  usage('a verb that does not exist', ['rnu'], 'there is no command "rnu"; Did you mean "run"? bulkhead --help lists the commands.'),
  usage('an option that does not exist', ['ls', '--al'], `unknown option '--al'; Did you mean --all? ${help}`),
  {
    code: 'usage_invalid',
    what: 'no agent is configured',
    make: () => ({
      argv: ['run', 'x'],
      says: 'bulkhead: No agent is configured; Write one under agents in your own configuration file (bulkhead init makes it; docs/config.md has an example).',
    }),
  },
  usage('an agent that does not exist', ['run', '-a', 'nope', 'x'], 'There is no agent "nope" (x); Configured: sh.'),
  usage('an environment that does not exist', ['run', '-e', 'nope', 'x'], unknownEnvironment),
  usage(
    'a name that is none',
    ['run', '-n', 'A b', 'x'],
    '"A b" cannot be the name of a job; Use 1 to 63 characters of a-z, 0-9 and -, not beginning with -.',
  ),
  usage(
    'a branch that does not exist',
    ['run', '--target', 'nope', 'x'],
    "'refs/heads/nope' names no commit; Name a branch, a tag or a commit.",
  ),
  usage(
    'more time than the policy allows',
    ['run', '-t', '999h', 'x'],
    '--time is more than policy.limits.time allows; Raise it in your own configuration file.',
  ),
  usage('a prompt and a file', ['run', '-f', 'jobs.yaml', 'x'], 'both a prompt and a jobs file are given; Give one of them.'),
  usage(
    'a name without a prompt',
    ['run', '-n', 'x'],
    '--name and --needs are for one job with a prompt; Give a prompt, or write them into the jobs file.',
  ),
  usage('a prompt of nothing', ['run', ' '], 'the prompt is empty or holds a NUL character; Say what the agent is to do.'),
  usage(
    'a prompt from a directory',
    ['run', '-'],
    'the prompt cannot be read from standard input (EISDIR); Redirect a file into it, or pipe into it.',
    {
      process: ['sh', '-c', 'exec "$@" < /', 'sh'],
    },
  ),
  usage('no job to stop', ['stop'], 'no job is named; Name jobs, or use --all.'),
  usage('no job to remove', ['rm'], 'no job is named; Name jobs, or use --merged.'),
  {
    code: 'usage_invalid',
    what: 'no branch is checked out',
    make: (world) => {
      world.configure(shellAgent)
      world.git('checkout', '--quiet', '--detach')
      return {
        argv: ['run', 'x'],
        says: 'bulkhead: no branch is checked out, so there is nothing to land work on; Check out a branch, or set target in bulkhead.yaml or with --target.',
      }
    },
  },
  usage('state at a relative path', ['ls'], 'BULKHEAD_STATE is not an absolute path; Set it to an absolute path.', {
    variables: { BULKHEAD_STATE: 'x' },
  }),
  {
    code: 'usage_invalid',
    what: 'state inside the repository',
    make: ({ repository }) => ({
      argv: ['ls'],
      variables: { BULKHEAD_STATE: join(repository, 'state') },
      says: /^bulkhead: the state directory \/\S+\/repo\/state\/repo-[0-9a-f]{12} lies inside the repository; Set BULKHEAD_STATE to a directory outside it\.$/,
    }),
  },
  {
    code: 'usage_invalid',
    what: 'init where nothing can be written',
    make: (world) => {
      const own = join(world.home, '.config/bulkhead')
      mkdirSync(join(world.home, '.config'))
      symlinkSync('/dev/null', own)
      writeFileSync(join(world.repository, 'bulkhead.yaml'), '')
      return {
        argv: ['init'],
        prints: true,
        says: `bulkhead: ${own}/bulkhead.yaml cannot be written (EEXIST); Make its directory a directory that you can write to.`,
      }
    },
  },
  exec('a workspace that does not exist', ['-w', 'nope'], '--workspace nope does not exist; Name a file or directory that you can read.'),
  exec(
    'a workspace that is a file',
    ['-w', 'a.txt'],
    ({ repository }) => `--workspace ${repository}/a.txt is not a directory; Name the directory of one project.`,
  ),
  exec('a path that does not exist', ['-r', 'nope'], '--read nope does not exist; Name a file or directory that you can read.'),
  exec('a URL as a host', ['-a', 'https://example.com'], '--allow: "https://example.com" is a URL, not a host; Write example.com.'),
  exec('a variable without a name', ['--env', '=x'], '--env =x is not a variable; Write NAME to pass a variable or NAME=VALUE to set one.'),
  exec(
    'a time without a unit',
    ['-t', '5'],
    `option '-t, --time <duration>' argument '5' is invalid. It must be a duration like 30s, 30m, 2h or 1h30m; ${help}`,
  ),
  exec(
    'a record that cannot be made',
    ['--events', 'nope/x'],
    '--events nope/x cannot be opened (ENOENT); Name a file that you can write.',
  ),
  exec('an environment that does not exist', ['-e', 'nope'], unknownEnvironment),
  usage('no command at all', ['exec'], `missing required argument 'command'; ${help}`),
  usage('a command without a name', ['exec', '--', ''], `the command cannot be run: it names no program; ${help}`),

  row(
    'usage_not_a_repository',
    'outside a repository',
    ['ls', '-C', '/proc'],
    '/proc is not in a git repository; Run this inside a repository, or git init one.',
  ),
  row(
    'usage_not_a_repository',
    'a directory that does not exist',
    ['ls', '-C', '/nope'],
    '/nope is not a directory; Name a directory inside a repository.',
  ),
  {
    code: 'usage_not_a_repository',
    what: 'a repository without a commit',
    make: (world) => {
      world.git('init', '--quiet', join(world.home, 'new'))
      return {
        argv: ['run', 'x'],
        directory: join(world.home, 'new'),
        says: `bulkhead: ${world.home}/new has no commit yet; Make a first commit.`,
      }
    },
  },
  {
    code: 'usage_not_a_repository',
    what: 'a partial clone',
    make: (world) => {
      world.git('config', 'remote.origin.promisor', 'true')
      return {
        argv: ['run', 'x'],
        says: `bulkhead: ${world.repository} is a partial clone; Use a full clone: objects that are missing cannot be fetched from inside the walls.`,
      }
    },
  },

  row(
    'usage_unknown_job',
    'answering a job that does not exist',
    ['answer', 'nope', 'allow'],
    'There is no job "nope"; See bulkhead ls for the jobs there are.',
  ),
  usage(
    'an answer that is none',
    ['answer', 'x', 'maybe'],
    `command-argument value 'maybe' is invalid for argument 'verdict'. Allowed choices are allow, deny; ${help}`,
  ),
  ...['show', 'diff', 'logs', 'approve', 'reject', 'merge', 'stop', 'rm'].map((verb) => unknownJob(verb, 'nope')),
  row(
    'usage_unknown_job',
    'a need that does not exist',
    ['run', '--needs', 'nope', 'x'],
    'x needs "nope", but there is no such job; Name a job of the same file or one that bulkhead ls shows.',
  ),
  {
    code: 'job_cycle',
    what: 'jobs that need each other in a circle',
    make: (world) => {
      world.configure(shellAgent)
      const file = join(world.home, 'jobs.yaml')
      writeFileSync(file, 'jobs: [{name: a, prompt: x, needs: [b]}, {name: b, prompt: x, needs: [a]}]\n')
      return { argv: ['run', '-f', file], says: 'bulkhead: Jobs need each other in a circle: a → b → a; Remove one of these needs.' }
    },
  },
]
