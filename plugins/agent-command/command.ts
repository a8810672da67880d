import { join } from 'node:path'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { AgentCommand, AgentTask } from '../../core/contracts/index.ts'
import type { CommandOptions } from './options.ts'

/** Names of the files in the scratch directory. */
const promptName = 'prompt.txt'
const scriptName = 'script.sh'

/** Bytes of one argument, including its final NUL (MAX_ARG_STRLEN, execve(2)). */
const longestArgument = 131_072
/** UTF-16 units of a whole command line, including its final NUL (CreateProcessW, `lpCommandLine`). */
const longestCommandLine = 32_767

/** The command for one attempt. Throws `config_invalid` when the prompt is too long for an argument. */
export function agentCommand(options: CommandOptions, task: AgentTask, system: NodeJS.Platform = process.platform): AgentCommand {
  const { prompt, environment } = options
  const promptFile = join(task.scratch, promptName)
  const byFile = prompt === 'file'
  const argv = argvOf(options, task, promptFile, system)
  if (prompt === 'argument') checkLength(argv, system)
  return {
    argv,
    environment: { ...environment, ...(byFile && { BULKHEAD_PROMPT_FILE: promptFile }) },
    stdin: prompt === 'stdin' ? task.prompt : null,
    files: { ...(byFile && { [promptName]: task.prompt }), ...(options.script !== undefined && { [scriptName]: options.script }) },
  }
}

function argvOf(
  { command, script, prompt }: CommandOptions,
  task: AgentTask,
  promptFile: string,
  system: NodeJS.Platform,
): readonly string[] {
  const last = prompt === 'argument' ? [task.prompt] : []
  // Windows has no shell of that kind; the one of Git for Windows is found where it is on the agent's PATH.
  const shell = system === 'win32' ? 'sh' : '/bin/sh'
  if (script !== undefined) return [shell, '-eu', join(task.scratch, scriptName), ...last]
  const values: Readonly<Record<string, string>> = { prompt: task.prompt, promptFile, workspace: task.workspace, name: task.name }
  const words: readonly string[] = command ?? []
  const filled = words.map((word) => fill(word, values))
  return words.some((word) => word.includes('{prompt}')) ? filled : [...filled, ...last]
}

/** In one pass, so that a prompt that contains a placeholder stays as it is. Any other word in braces is left alone: it may be JSON. */
function fill(word: string, values: Readonly<Record<string, string>>): string {
  return word.replaceAll(/\{(prompt|promptFile|workspace|name)\}/g, (_, name: string) => values[name] ?? '')
}

function checkLength(argv: readonly string[], system: NodeJS.Platform): void {
  const most = system === 'win32' ? fitsCommandLine(argv) : fitsArguments(argv)
  if (most === undefined) return
  throw new BulkheadError('config_invalid', `the prompt is too long for an argument (${most} at most)`, {
    remedy: 'Set prompt: stdin or prompt: file for this agent.',
  })
}

/** The limit that does not hold; undefined when it does. */
function fitsArguments(argv: readonly string[]): string | undefined {
  return argv.every((argument) => Buffer.byteLength(argument) < longestArgument) ? undefined : `${longestArgument - 1} bytes`
}

function fitsCommandLine(argv: readonly string[]): string | undefined {
  // Quotes around it, a space after it, and a backslash before what needs one.
  const units = argv.reduce((sum, argument) => sum + argument.length + 3 + (argument.match(/["\\]/g)?.length ?? 0), 0)
  return units < longestCommandLine ? undefined : `the whole command ${longestCommandLine - 1} characters`
}
