import { join } from 'node:path'
import { nativeFailure } from '../error.ts'
import { loadModule, nativeDirectory } from '../module.ts'
import type { NativeModule } from '../module.ts'
import { win32 } from './win32-error.ts'

/** The functions of `src/windows/library/`, with failures turned into errors. */
export interface Binding {
  /** Ends that process when this one ends, however it ends: both are in a job object whose last handle is ours. Throws `native_failed`. */
  guard(pid: number): void
  /**
   * Closes the memory and the handles of this process to its own user (`src/windows/seal.h`): an agent may be one. Once is enough, and a
   * second time would be refused. Throws `native_failed`.
   */
  seal(): void
  /** Creation time in 100 ns since 1601 (GetProcessTimes); undefined when there is no such process. */
  startTime(pid: number): string | undefined
  /** How the user's console is set; undefined where there is none. */
  saveConsole(): Uint32Array | undefined
  restoreConsole(state: Uint32Array): void
}

let loaded: Binding | undefined

/** Loads bulkhead.dll once. Throws `native_not_built`, `native_abi_mismatch`. */
export function binding(): Binding {
  loaded ??= declare(library())
  return loaded
}

export const launcherPath = (): string => join(nativeDirectory(), 'bulkhead-launcher.exe')

let module: NativeModule | undefined

/** The loaded library, for the other files of this folder that declare functions of it. */
export function library(): NativeModule {
  module ??= loadModule('bulkhead.dll', [launcherPath(), join(nativeDirectory(), 'bulkhead-hook.dll')])
  return module
}

/** Throws `native_failed` for what is a Win32 error code. */
export function checked(operation: string, result: unknown): void {
  const code = Number(result)
  if (code !== 0) throw nativeFailure(win32, operation, code)
}

function declare(dll: NativeModule): Binding {
  const guard = dll.func('uint32_t bulkhead_guard(uint32_t pid)')
  let sealed = false
  const seal = dll.func('uint32_t bulkhead_seal()')
  const startTime = dll.func('uint32_t bulkhead_start_time(uint32_t pid, _Out_ uint64_t *time)')
  const save = dll.func('uint32_t bulkhead_console_save(_Out_ uint32_t *state)')
  const restore = dll.func('void bulkhead_console_restore(const uint32_t *state)')
  return {
    saveConsole() {
      const state = new Uint32Array(4)
      return Number(save(state)) === 0 ? state : undefined
    },
    restoreConsole: (state) => void restore(state),
    guard: (pid) => checked('tying the launcher to this process', guard(pid)),
    seal() {
      if (!sealed) checked('closing this process to its own user', seal())
      sealed = true
    },
    startTime(pid) {
      const time = new BigUint64Array(1)
      return Number(startTime(pid, time)) === 0 ? String(time[0]) : undefined
    },
  }
}
