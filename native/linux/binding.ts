import { join } from 'node:path'
import { nativeFailure } from '../error.ts'
import { loadModule, nativeDirectory } from '../module.ts'
import type { NativeModule } from '../module.ts'
import { errno } from './errno.ts'

/** The functions of `src/<platform>/library.c`, with failures turned into errors. */
export interface Binding {
  /** Starts the helper without forking Node; returns the socket to it and its pid. */
  startHelper(): { readonly socket: number; readonly pid: number }
  /** Collects the helper when it has ended; `force` ends it first. True when it is gone. */
  reap(pid: number, force: boolean): boolean
  socketPair(): readonly [number, number]
  /** [read, write]; the named end, which is ours, does not block. */
  pipe(ours: 'read' | 'write'): readonly [number, number]
  send(socket: number, bytes: Uint8Array, descriptors: readonly number[]): void
  receiveDescriptors(socket: number, most: number): number[]
  close(descriptor: number): void
  /** The settings of a terminal; undefined when the descriptor is none. */
  saveTerminal(descriptor: number): Uint8Array | undefined
  restoreTerminal(descriptor: number, settings: Uint8Array): void
  /** Clock ticks since boot; undefined when there is no such process. */
  startTime(pid: number): string | undefined
}

let loaded: Binding | undefined

/**
 * Loads the native module once, by absolute path (never by search: what is found on a search path may be planted).
 * Throws `native_not_built`, `native_abi_mismatch`.
 */
export function binding(): Binding {
  loaded ??= load()
  return loaded
}

function load(): Binding {
  const directory = nativeDirectory()
  const helper = join(directory, 'bulkhead-helper')
  return declare(loadModule('libbulkhead.so', [helper]), helper)
}

/** Throws `native_failed` for what is -errno. */
function checked(operation: string, result: unknown): number {
  const value = Number(result)
  if (value < 0) throw nativeFailure(errno, operation, -value)
  return value
}

function declare(module: NativeModule, helper: string): Binding {
  const start = module.func('int32_t bulkhead_start_helper(const char *path, _Out_ int32_t *pid)')
  const reap = module.func('int32_t bulkhead_reap(int32_t pid, int32_t force)')
  const socketPair = module.func('int32_t bulkhead_socketpair(_Out_ int32_t *fds)')
  const pipe = module.func('int32_t bulkhead_pipe(_Out_ int32_t *fds, int32_t nonblocking_end)')
  const send = module.func('int32_t bulkhead_send(int32_t fd, const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count)')
  const receive = module.func('int32_t bulkhead_receive_fds(int32_t fd, _Out_ int32_t *fds, uint32_t most)')
  const close = module.func('int32_t bulkhead_close(int32_t fd)')
  const save = module.func('int32_t bulkhead_terminal_save(int32_t fd, _Out_ uint8_t *settings, uint32_t size)')
  const restore = module.func('int32_t bulkhead_terminal_restore(int32_t fd, const uint8_t *settings, uint32_t size)')
  const startTime = module.func('int32_t bulkhead_start_time(int32_t pid, _Out_ char *text, uint32_t size)')

  return {
    startHelper() {
      const pid = new Int32Array(1)
      const socket = checked(`starting ${helper}`, start(helper, pid))
      return { socket, pid: pid[0] ?? 0 }
    },
    reap: (pid, force) => Number(reap(pid, force ? 1 : 0)) !== 0,
    socketPair() {
      const fds = new Int32Array(2)
      checked('socketpair', socketPair(fds))
      return [fds[0] ?? -1, fds[1] ?? -1]
    },
    pipe(ours) {
      const fds = new Int32Array(2)
      checked('pipe', pipe(fds, ours === 'read' ? 0 : 1))
      return [fds[0] ?? -1, fds[1] ?? -1]
    },
    send(socket, bytes, descriptors) {
      checked('sending to the helper', send(socket, bytes, bytes.length, Int32Array.from(descriptors), descriptors.length))
    },
    receiveDescriptors(socket, most) {
      const fds = new Int32Array(most)
      return [...fds.subarray(0, checked('receiving descriptors', receive(socket, fds, most)))]
    },
    close: (descriptor) => void close(descriptor),
    saveTerminal(descriptor) {
      const settings = new Uint8Array(256)
      return Number(save(descriptor, settings, settings.length)) < 0 ? undefined : settings
    },
    restoreTerminal: (descriptor, settings) => void restore(descriptor, settings, settings.length),
    startTime(pid) {
      const text = Buffer.alloc(32)
      if (Number(startTime(pid, text, text.length)) < 0) return undefined
      return text.toString('latin1', 0, text.indexOf(0))
    },
  }
}
