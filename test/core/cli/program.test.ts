import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { verbs } from '../../../core/cli/verbs.ts'
import { runInProcess } from '../../support/command-line.ts'

const cli = (...argv: readonly string[]) => runInProcess(argv, { PATH: process.env['PATH'], HOME: '/nonexistent' }, '/')

describe('help', () => {
  test.each(Object.keys(verbs))('%s says what it does, with an example that names it', async (verb) => {
    const { code, out, err } = await cli(verb, '--help')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`^Usage: bulkhead ${verb}`))
    expect(out).toMatch(new RegExp(`\nExamples:\n(?:  .*\n)*?  .*bulkhead ${verb}`))
  })

  test.each(Object.keys(verbs).filter((verb) => !['completion', 'audit'].includes(verb)))('%s has --json', async (verb) => {
    expect((await cli(verb, '--help')).out).toMatch(/^ {2}--json /m)
  })

  test('the whole help names every verb and every exit code', async () => {
    const { code, out } = await cli('--help')
    expect(code).toBe(0)
    for (const verb of Object.keys(verbs)) expect(out).toMatch(new RegExp(`^  ${verb}\\b`, 'm'))
    expect(out).toContain('Exit codes:')
  })

  test('the version', async () => {
    expect(await cli('--version')).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown, err: '' })
  })
})

describe('a wrong command line is one line and exit code 2', () => {
  const help = 'Add --help for what the command takes.'
  test.each<readonly [readonly string[], string]>([
    [['rnu'], 'bulkhead: there is no command "rnu"; Did you mean "run"? bulkhead --help lists the commands.'],
    [['\u001b[2J'], 'bulkhead: there is no command "^[[2J"; bulkhead --help lists the commands.'],
    [['--nope'], "bulkhead: unknown option '--nope'; Options stand after the command. bulkhead --help lists the commands."],
    [['help', 'rnu'], 'bulkhead: there is no command "rnu"; Did you mean "run"? bulkhead --help lists the commands.'],
    [['audit'], 'bulkhead: audit needs a command of its own; bulkhead audit --help lists them.'],
    [['ls', '--jsn'], `bulkhead: unknown option '--jsn'; Did you mean --json? ${help}`],
    [['ls', 'extra'], `bulkhead: too many arguments for 'ls'. Expected 0 arguments but got 1; ${help}`],
    [['approve'], `bulkhead: missing required argument 'job'; ${help}`],
    [
      ['run', '-j', '0', 'x'],
      `bulkhead: option '-j, --concurrency <number>' argument '0' is invalid. It must be a number from 1 to 256; ${help}`,
    ],
    [
      ['run', '-t', '5', 'x'],
      `bulkhead: option '-t, --time <duration>' argument '5' is invalid. It must be a duration like 30s, 30m, 2h or 1h30m; ${help}`,
    ],
    [['run', '-f', 'a.yaml', 'x'], 'bulkhead: both a prompt and a jobs file are given; Give one of them.'],
    [
      ['completion', 'tcsh'],
      `bulkhead: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish; ${help}`,
    ],
    [['stop'], 'bulkhead: no job is named; Name jobs, or use --all.'],
    [['rm'], 'bulkhead: no job is named; Name jobs, or use --merged.'],
    [['ls', '-C', '/proc'], 'bulkhead: /proc is not in a git repository; Run this inside a repository, or git init one.'],
    [['ls', '-C', '/nonexistent'], 'bulkhead: /nonexistent is not a directory; Name a directory inside a repository.'],
  ])('%j', async (argv, line) => {
    expect(await cli(...argv)).toEqual({ code: 2, out: '', err: `${line}\n` })
  })

  test('exec: 125, so that it cannot be taken for the command’s own', async () => {
    expect(await cli('exec')).toEqual({ code: 125, out: '', err: `bulkhead: missing required argument 'command'; ${help}\n` })
    expect((await cli('exec', '--nope', '--', 'true')).code).toBe(125)
    expect((await cli('exec', '--allow', 'https://x.y', '--', 'true')).err).toBe(
      'bulkhead: --allow: "https://x.y" is a URL, not a host; Write x.y.\n',
    )
  })

  test('with --json it is JSON', async () => {
    const { err } = await cli('ls', '--json', '-C', '/proc')
    expect(JSON.parse(err)).toMatchObject({ code: 'usage_not_a_repository', exit: 2 })
  })
})

describe('setup', () => {
  test('an environment whose layers need nothing', async () => {
    const said = await cli('setup', 'linux')
    expect(said).toEqual({ code: 0, out: '', err: 'Nothing has to be set up for environment "linux".\n' })
    expect(JSON.parse((await cli('setup', 'none', '--json', '--remove')).out)).toEqual({
      environment: 'none',
      change: 'remove',
      planned: [],
      done: [],
    })
  })

  test('an environment that does not exist', async () => {
    const { code, err } = await cli('setup', 'lnux')
    expect({ code, err }).toEqual({
      code: 2,
      err: 'bulkhead: there is no environment "lnux"; Did you mean "linux"? There are: linux, none.\n',
    })
  })
})

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('%s knows every verb', async (shell) => {
    const { code, out } = await cli('completion', shell)
    expect(code).toBe(0)
    for (const verb of Object.keys(verbs)) expect(out).toContain(verb)
  })

  test('bash takes it and completes with it', async () => {
    const { out } = await cli('completion', 'bash')
    const complete = (...words: readonly string[]): string =>
      execFileSync(
        'bash',
        ['-c', `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bulkhead; echo "\${COMPREPLY[@]}"`, 'bash', ...words],
        { encoding: 'utf8' },
      ).trim()
    expect(complete('bulkhead', 'com')).toBe('completion')
    expect(complete('bulkhead', 'exec', '--al')).toBe('--allow')
  })
})
