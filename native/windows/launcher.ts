import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { AgentAccount, FeatureAnswer, HostFeature, LaunchSpec, Sandbox, Stdio } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { nativeFailure } from '../error.ts'
import { FrameSplitter, FrameWriter } from '../frame.ts'
import { message } from '../messages.ts'
import type { NativeLauncher } from '../platform.ts'
import { HeldSandbox } from '../sandbox.ts'
import { binding, launcherPath } from './binding.ts'
import { encodeLaunch } from './codec.ts'
import { win32 } from './win32-error.ts'

/** One supervisor process for each sandbox: `bulkhead-launcher.exe`. */
export class ProcessLauncher implements NativeLauncher {
  readonly #sandboxes = new Set<HeldSandbox>()

  async launch(spec: LaunchSpec, stdio: Stdio): Promise<Sandbox> {
    const frame = encoded(spec, stdio)
    const settings = stdio.kind === 'pipes' ? undefined : binding().saveConsole()
    const child = await this.#start(stdio.kind === 'pipes' ? ['pipe', 'pipe', 'pipe'] : [0, 1, 2])
    const [stdin, stdout, stderr] = stdio.kind === 'pipes' ? child.stdio.slice(3) : []
    const [input, output] = [child.stdout as Readable, child.stdin as Writable]
    const sandbox = new HeldSandbox(
      {
        input,
        output,
        errors: win32,
        program: spec.command.argv[0] ?? '',
        takeListeners: () => [],
        isAlive: ({ pid, startTime }) => binding().startTime(pid) === startTime,
        close(lost) {
          if (lost && settings !== undefined) binding().restoreConsole(settings)
          for (const stream of [input, output]) stream.destroy()
        },
      },
      { stdin: (stdin as Writable) ?? null, stdout: (stdout as Readable) ?? null, stderr: (stderr as Readable) ?? null },
    )
    // An agent that does not read its input is no error of ours.
    sandbox.stdin?.on('error', () => undefined)
    this.#sandboxes.add(sandbox)
    void sandbox.exited.then(() => this.#sandboxes.delete(sandbox))
    output.write(frame)
    try {
      await sandbox.held
    } catch (error) {
      await sandbox[Symbol.asyncDispose]()
      throw error
    }
    return sandbox
  }

  async probe(feature: HostFeature): Promise<FeatureAnswer> {
    const w = new FrameWriter(message.probe)
    w.text(feature)
    return (await this.#ask(w)) ?? { ok: false, level: 0, reason: 'the probe itself was killed' }
  }

  /**
   * Ends every process that runs under the account, and deletes what they left in its profile for temporary files; whoever calls it holds the
   * account's lease. Throws `host_unsupported`, `native_failed`; then it is not certain that nothing is left.
   */
  async sweep({ name, sid, secretFile }: AgentAccount): Promise<void> {
    const w = new FrameWriter(message.sweep)
    for (const text of [name, sid, secretFile]) w.text(text)
    const answer = await this.#ask(w)
    if (answer === undefined)
      throw new BulkheadError('native_failed', 'the launcher ended while it cleared an account', { operation: 'sweep' })
    if (!answer.ok) throw nativeFailure(win32, answer.reason, answer.level)
  }

  /** One question to a launcher of its own; undefined when it ended without a word. */
  async #ask(question: FrameWriter): Promise<FeatureAnswer | undefined> {
    const child = await this.#start([])
    child.stdin?.write(question.finish())
    const splitter = new FrameSplitter()
    for await (const chunk of child.stdout as Readable) {
      for (const frame of splitter.push(chunk as Buffer)) {
        child.stdin?.end()
        return { ok: frame.u8() === 1, level: frame.u32(), reason: frame.text() }
      }
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sandbox of this.#sandboxes) sandbox.kill()
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.exited))
  }

  /**
   * `streams`: its descriptors from 3 on. Throws `native_failed`. The launcher waits for its first frame, so it can do nothing before it is
   * tied to us.
   */
  async #start(streams: readonly ('pipe' | number)[]): Promise<ChildProcess> {
    const native = binding()
    native.seal()
    const child = await spawned(streams)
    try {
      native.guard(child.pid ?? 0)
    } catch (error) {
      child.kill()
      throw error
    }
    return child
  }
}

/** Throws `native_failed`. */
async function spawned(streams: readonly ('pipe' | number)[]): Promise<ChildProcess> {
  try {
    // With nothing inherited, libuv gives it a console of its own that nobody sees, which it can share with the agent: never the user's.
    // Not in the user's directory: it would be in use until the launcher has ended, and is a place where Windows looks for libraries.
    const cwd = dirname(launcherPath())
    const child = spawn(launcherPath(), [], { cwd, stdio: ['pipe', 'pipe', 'ignore', ...streams], windowsHide: true })
    await once(child, 'spawn')
    // Ending one that is just ending by itself is refused (TerminateProcess, ERROR_ACCESS_DENIED), and is no error of anybody.
    child.on('error', () => undefined)
    return child
  } catch (cause) {
    throw new BulkheadError('native_failed', 'the launcher cannot be started', { operation: 'spawn', where: launcherPath(), cause })
  }
}

/** Throws `native_failed`: the launcher could not even read it. */
function encoded(spec: LaunchSpec, stdio: Stdio): Uint8Array {
  try {
    return encodeLaunch(spec, stdio)
  } catch (error) {
    throw BulkheadError.from(error, 'native_failed', { operation: 'encoding the launch specification' })
  }
}
