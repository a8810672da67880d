import { Socket } from 'node:net'
import type { Stdio } from '../../core/contracts/index.ts'
import type { Streams } from '../sandbox.ts'
import type { Binding } from './binding.ts'

export interface OpenedStdio {
  readonly ours: Streams
  /** Descriptors for the agent's 0, 1 and 2. */
  readonly theirs: readonly number[]
  /** Ours only in passing: to be closed once they were sent. */
  readonly closeAfterSending: readonly number[]
  /** Closes our ends when the launch never happened. */
  abandon(): void
  /** Undoes what a supervisor that was killed did to the user's terminal. */
  restore(): void
}

/** Real pipes (pipe(7)): a socket could not be re-opened as /dev/stdout. */
export function openStdio(native: Binding, stdio: Stdio): OpenedStdio {
  if (stdio.kind !== 'pipes') {
    const settings = stdio.kind === 'terminal' ? native.saveTerminal(0) : undefined
    const restore = (): void => {
      if (settings !== undefined) native.restoreTerminal(0, settings)
    }
    return {
      restore,
      ours: { stdin: null, stdout: null, stderr: null },
      theirs: [0, 1, 2],
      closeAfterSending: [],
      abandon: () => undefined,
    }
  }
  const [stdinRead, stdinWrite] = native.pipe('write')
  const [stdoutRead, stdoutWrite] = native.pipe('read')
  const [stderrRead, stderrWrite] = native.pipe('read')
  const stdin = new Socket({ fd: stdinWrite, readable: false, writable: true })
  const stdout = new Socket({ fd: stdoutRead, readable: true, writable: false })
  const stderr = new Socket({ fd: stderrRead, readable: true, writable: false })
  // An agent that does not read its input is no error of ours.
  stdin.on('error', () => undefined)
  const theirs = [stdinRead, stdoutWrite, stderrWrite]
  return {
    ours: { stdin, stdout, stderr },
    theirs,
    closeAfterSending: theirs,
    restore: () => undefined,
    abandon() {
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
    },
  }
}
