import type { Readable } from 'node:stream'
import type { Attempt, CommandPart, Outcome, Sandbox } from '../../../core/contracts/index.ts'
import { FrameSplitter } from '../../../native/frame.ts'
import { decodeOutcomes, encodeAttempts } from '../../../native/messages.ts'
import { launcherPath } from '../../../native/windows/binding.ts'
import { win32 } from '../../../native/windows/win32-error.ts'
import { command } from './specs.ts'

/** An agent that does what it is told: the launcher's own probe, started as the command. */
export const probingAgent = (environment: Readonly<Record<string, string>> = {}): CommandPart =>
  command([launcherPath(), 'probe'], environment)

/** Lets a started probing agent try something. Once: its input is closed. */
export async function askAgent(sandbox: Sandbox, attempts: readonly Attempt[]): Promise<readonly Outcome[]> {
  sandbox.stdin?.end(encodeAttempts(attempts))
  const splitter = new FrameSplitter()
  const frames = []
  for await (const chunk of sandbox.stdout as Readable) frames.push(...splitter.push(chunk as Buffer))
  const answer = frames[1]
  if (answer === undefined) throw new Error('the agent did not answer')
  return decodeOutcomes(answer, win32.name)
}
