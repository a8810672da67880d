import type { AgentObserver, AgentRunResult } from '../contracts/agent.ts'
import type { Limits } from '../contracts/policy.ts'
import type { Sandbox } from '../contracts/sandbox.ts'
import { Ending } from './ending.ts'
import type { EndCause } from './ending.ts'
import type { OutputLog } from './output-log.ts'
import { OutputTap } from './output-tap.ts'
import { Watchdog } from './watchdog.ts'

/** How long the pipes may stay silent without end after the last process is gone, in milliseconds. */
const drainMs = 5_000

export interface Supervision {
  readonly sandbox: Sandbox
  readonly stdin: string | null
  readonly limits: Limits
  readonly log: OutputLog
  readonly signal: AbortSignal
  readonly graceMs: number
  readonly started: NonNullable<AgentObserver['started']>
}

/**
 * Starts the held command and stays with it to the last process of its tree. Rejects when it could not be started (`launch_not_found`,
 * `launch_not_executable`), or, after ending the tree, when its output could not be kept (`host_no_space`, `workspace_failed`).
 */
export async function supervise({ sandbox, stdin, limits, log, signal, graceMs, started }: Supervision): Promise<AgentRunResult> {
  using ending = new Ending(sandbox, graceMs)
  let watchdog: Watchdog | undefined
  const touch = (): void => watchdog?.touch()
  const tap = new OutputTap(log, limits.outputBytes, {
    onOutput: touch,
    onExceeded: () => ending.end('output'),
    onFailure: () => ending.kill(),
  })
  const streams = [sandbox.stdout, sandbox.stderr].filter((stream) => stream !== null)
  const drained = Promise.all(streams.map((stream) => tap.drain(stream)))
  const onAbort = (): void => ending.end(abortCause(signal))
  try {
    await sandbox.start()
    const begun = performance.now()
    watchdog = new Watchdog(limits, (limit) => ending.end(limit))
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    started(sandbox.process, { touch })
    feed(sandbox, stdin)
    const exit = await sandbox.exited
    const durationMs = performance.now() - begun
    watchdog[Symbol.dispose]()
    // Nobody is left who could write, so the ends are near; a pipe that somebody else holds open must not keep the job.
    watchdog = new Watchdog({ timeMs: null, stallMs: drainMs }, () => streams.forEach((stream) => stream.destroy()))
    await drained
    if (tap.failure !== undefined) throw tap.failure
    return { code: exit.code, signal: exit.signal, reason: ending.reason(exit), outputBytes: tap.bytes, durationMs: Math.round(durationMs) }
  } finally {
    watchdog?.[Symbol.dispose]()
    signal.removeEventListener('abort', onAbort)
    sandbox.stdin?.destroy()
  }
}

export function abortCause(signal: AbortSignal): EndCause {
  return signal.reason === 'shutdown' ? 'shutdown' : 'cancelled'
}

function feed({ stdin }: Sandbox, text: string | null): void {
  // An agent that does not read its stdin is no failure (EPIPE).
  stdin?.on('error', () => undefined)
  stdin?.end(text ?? '')
}
