import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agentCommand } from '../../../plugins/agent-command/command.ts'
import adapter from '../../../plugins/agent-command/index.ts'
import { optionsSchema } from '../../../plugins/agent-command/options.ts'
import type { AgentCommand, AgentTask } from '../../../core/contracts/index.ts'

const task: AgentTask = {
  job: 'job_000000000001',
  name: 'fix-it',
  prompt: 'Fix "it"; $(rm -rf /) {workspace}',
  attempt: 1,
  workspace: '/ws/tree',
  scratch: '/state/scratch/job-1',
}

function command(options: unknown, change: Partial<AgentTask> = {}): AgentCommand {
  return adapter.command(adapter.options.parse(options), { ...task, ...change })
}

const nothing = { environment: {}, stdin: null, files: {} }

test.each<[string, unknown, AgentCommand]>([
  ['the prompt as last argument', { command: ['agent', '-p'] }, { ...nothing, argv: ['agent', '-p', task.prompt] }],
  [
    'the prompt where it is asked for, as it is',
    { command: ['agent', '--prompt={prompt}', '--in', '{workspace}'] },
    { ...nothing, argv: ['agent', `--prompt=${task.prompt}`, '--in', '/ws/tree'] },
  ],
  [
    'the name, and braces that mean something else',
    { command: ['agent', '{name}', '{"a":{"b":1}}', '{unknown}', '{ prompt }'], prompt: 'none' },
    { ...nothing, argv: ['agent', 'fix-it', '{"a":{"b":1}}', '{unknown}', '{ prompt }'] },
  ],
  ['standard input', { command: ['agent'], prompt: 'stdin' }, { ...nothing, argv: ['agent'], stdin: task.prompt }],
  [
    'a file',
    { command: ['agent', '-f', '{promptFile}'], prompt: 'file', environment: { LEVEL: '3' } },
    {
      argv: ['agent', '-f', '/state/scratch/job-1/prompt.txt'],
      environment: { LEVEL: '3', BULKHEAD_PROMPT_FILE: '/state/scratch/job-1/prompt.txt' },
      stdin: null,
      files: { 'prompt.txt': task.prompt },
    },
  ],
  [
    'a script with the prompt as $1',
    { script: 'echo "$1" {prompt}\n' },
    {
      ...nothing,
      argv: ['/bin/sh', '-eu', '/state/scratch/job-1/script.sh', task.prompt],
      files: { 'script.sh': 'echo "$1" {prompt}\n' },
    },
  ],
  [
    'a script with the prompt in a file',
    { script: 'cat "$BULKHEAD_PROMPT_FILE"', prompt: 'file' },
    {
      argv: ['/bin/sh', '-eu', '/state/scratch/job-1/script.sh'],
      environment: { BULKHEAD_PROMPT_FILE: '/state/scratch/job-1/prompt.txt' },
      stdin: null,
      files: { 'prompt.txt': task.prompt, 'script.sh': 'cat "$BULKHEAD_PROMPT_FILE"' },
    },
  ],
])('%s', (_name, options, expected) => {
  expect(command(options)).toEqual(expected)
})

test('any prompt arrives as exactly one argument, byte for byte', () => {
  fc.assert(
    fc.property(fc.string(), (prompt) => {
      expect(command({ command: ['agent', '{prompt}', 'last'] }, { prompt }).argv).toEqual(['agent', prompt, 'last'])
    }),
  )
})

describe('options that cannot work are refused', () => {
  test.each<[string, unknown, string]>([
    ['nothing to run', {}, 'exactly one of command and script is needed'],
    ['two things to run', { command: ['a'], script: 'b' }, 'exactly one of command and script is needed'],
    ['an empty command', { command: [] }, 'expected'],
    [
      'a placeholder without its mode',
      { command: ['a', '{prompt}'], prompt: 'stdin' },
      '{prompt} in the command needs prompt: argument, not stdin',
    ],
    ['a file without its mode', { command: ['a', '{promptFile}'] }, '{promptFile} in the command needs prompt: file, not argument'],
    ['a NUL', { command: ['a\0b'] }, 'must not contain a NUL character'],
    ['a variable that is none', { command: ['a'], environment: { 'A=B': 'c' } }, 'is no name for a variable'],
    ['an unknown option', { command: ['a'], shell: true }, 'shell'],
  ])('%s', (_name, options, message) => {
    const result = adapter.options.safeParse(options)
    expect(JSON.stringify(result.error?.issues)).toContain(message)
  })

  test('a prompt that no argument can hold', () => {
    const prompt = 'é'.repeat(65_536)
    expect(() => command({ command: ['agent'] }, { prompt })).toThrow('the prompt is too long for an argument (131071 bytes at most)')
    expect(command({ command: ['agent'], prompt: 'stdin' }, { prompt }).stdin).toBe(prompt)
  })
})

describe('on Windows', () => {
  const options = (written: object) => optionsSchema.parse(written)
  const onWindows = (written: object, change: Partial<AgentTask> = {}) => agentCommand(options(written), { ...task, ...change }, 'win32')

  test('a script needs a shell on PATH', () => {
    expect(onWindows({ script: 'true' }).argv.slice(0, 2)).toEqual(['sh', '-eu'])
  })

  test.each([
    ['plain', 'x', 32_700],
    ['with quotes, which take two', '"', 16_350],
    ['not ASCII, which is one unit', 'é', 32_700],
  ])('a prompt that no command line can hold: %s', (_, letter, fitting) => {
    expect(onWindows({ command: ['agent'] }, { prompt: letter.repeat(fitting) }).argv).toHaveLength(2)
    const command = () => onWindows({ command: ['agent'] }, { prompt: letter.repeat(fitting + 80) })
    expect(command).toThrow('the prompt is too long for an argument (the whole command 32766 characters at most)')
  })
})
