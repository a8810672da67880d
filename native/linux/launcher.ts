import { Socket } from 'node:net'
import type { FeatureAnswer, HostFeature, LaunchSpec, Sandbox, Stdio } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { FrameSplitter, FrameWriter } from '../frame.ts'
import { message } from '../messages.ts'
import type { NativeLauncher } from '../platform.ts'
import { HeldSandbox } from '../sandbox.ts'
import type { SupervisorLink } from '../sandbox.ts'
import { binding } from './binding.ts'
import type { Binding } from './binding.ts'
import { encodeLaunch } from './codec.ts'
import { errno } from './errno.ts'
import { openStdio } from './stdio.ts'

/** BH_LISTENERS_MAX of `src/linux/spec.h`. */
const mostListeners = 128

/** Throws `native_failed`: the helper could not even read it, and would end every sandbox with itself. */
function encoded(spec: LaunchSpec, stdio: Stdio): Uint8Array {
  try {
    return encodeLaunch(spec, stdio)
  } catch (error) {
    throw BulkheadError.from(error, 'native_failed', { operation: 'encoding the launch specification' })
  }
}

/** Starts nothing yet: the helper starts with the first launch or probe, and again when it has died. */
export class HelperLauncher implements NativeLauncher {
  #helper: { readonly socket: number; readonly pid: number } | undefined
  readonly #sandboxes = new Set<HeldSandbox>()

  async launch(spec: LaunchSpec, stdio: Stdio): Promise<Sandbox> {
    const native = binding()
    const frame = encoded(spec, stdio)
    const [channel, theirChannel] = native.socketPair()
    const [descriptors, theirDescriptors] = native.socketPair()
    const streams = openStdio(native, stdio)
    try {
      this.#send(native, frame, [theirChannel, theirDescriptors, ...streams.theirs])
    } catch (error) {
      streams.abandon()
      for (const fd of [channel, descriptors]) native.close(fd)
      throw error
    } finally {
      for (const fd of [theirChannel, theirDescriptors, ...streams.closeAfterSending]) native.close(fd)
    }
    const sandbox = new HeldSandbox(
      linkOf(native, { channel, descriptors, program: spec.command.argv[0] ?? '' }, () => streams.restore()),
      streams.ours,
    )
    this.#sandboxes.add(sandbox)
    void sandbox.exited.then(() => this.#sandboxes.delete(sandbox))
    try {
      await sandbox.held
    } catch (error) {
      await sandbox[Symbol.asyncDispose]()
      throw error
    }
    return sandbox
  }

  async probe(feature: HostFeature): Promise<FeatureAnswer> {
    const native = binding()
    const w = new FrameWriter(message.probe)
    w.text(feature)
    const [channel, theirs] = native.socketPair()
    try {
      this.#send(native, w.finish(), [theirs])
    } finally {
      native.close(theirs)
    }
    const splitter = new FrameSplitter()
    for await (const chunk of new Socket({ fd: channel, readable: true, writable: false })) {
      for (const frame of splitter.push(chunk as Buffer)) {
        return { ok: frame.u8() === 1, level: frame.u32(), reason: frame.text() }
      }
    }
    return { ok: false, level: 0, reason: 'the probe itself was killed by the kernel' }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const helper = this.#helper
    this.#helper = undefined
    if (helper === undefined) return
    for (const sandbox of this.#sandboxes) sandbox.kill()
    await Promise.all([...this.#sandboxes].map((sandbox) => sandbox.exited))
    binding().close(helper.socket)
    // It ends at the end of file; what still hangs after a moment is ended by force.
    for (let waited = 0; waited < 100; waited++) {
      if (binding().reap(helper.pid, false)) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    binding().reap(helper.pid, true)
  }

  #send(native: Binding, frame: Uint8Array, descriptors: readonly number[]): void {
    const reused = this.#helper !== undefined
    const helper = (this.#helper ??= native.startHelper())
    try {
      native.send(helper.socket, frame, descriptors)
    } catch (error) {
      native.close(helper.socket)
      native.reap(helper.pid, true)
      this.#helper = undefined
      // A helper that somebody killed is replaced; one that dies at once is an error.
      if (!reused || !BulkheadError.is(error)) throw error
      this.#send(native, frame, descriptors)
    }
  }
}

function linkOf(
  native: Binding,
  { channel, descriptors, program }: { readonly channel: number; readonly descriptors: number; readonly program: string },
  restore: () => void,
): SupervisorLink {
  const socket = new Socket({ fd: channel, readable: true, writable: true, allowHalfOpen: true })
  return {
    input: socket,
    output: socket,
    errors: errno,
    program,
    takeListeners: () => native.receiveDescriptors(descriptors, mostListeners),
    isAlive: ({ pid, startTime }) => native.startTime(pid) === startTime,
    close(lost) {
      if (lost) restore()
      native.close(descriptors)
      socket.destroy()
    },
  }
}
