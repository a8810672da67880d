import { BulkheadError } from '../core/contracts/index.ts'

/** What the native module says in numbers (errno, Win32 error codes), in words. */
export interface ErrorTable {
  /** `EACCES`; a number with its kind where there is no such name. */
  readonly name: (code: number) => string
  isNotFound(code: number): boolean
  isNoSpace(code: number): boolean
  /** What a failure means to the user, where it is more than a number. */
  explain?(operation: string, code: number): { readonly message: string; readonly remedy: string } | undefined
}

/** A step of the native module that failed. `operation` is the step, with what it was about. */
export function nativeFailure(errors: ErrorTable, operation: string, code: number): BulkheadError {
  const nativeCode = errors.name(code)
  if (errors.isNoSpace(code)) return new BulkheadError('host_no_space', `${operation}: the disk is full`, { operation, nativeCode })
  const told = errors.explain?.(operation, code)
  if (told !== undefined) return new BulkheadError('host_unsupported', told.message, { operation, nativeCode, remedy: told.remedy })
  return new BulkheadError('native_failed', `${operation} failed with ${nativeCode}`, {
    operation,
    nativeCode,
  })
}

/** Why the command of a launch could not be executed. */
export function launchFailure(errors: ErrorTable, program: string, code: number): BulkheadError {
  const nativeCode = errors.name(code)
  const named = JSON.stringify(program.slice(0, 200))
  return errors.isNotFound(code)
    ? new BulkheadError('launch_not_found', `${named} does not exist inside the workspace`, { operation: 'exec', nativeCode })
    : new BulkheadError('launch_not_executable', `${named} cannot be executed (${nativeCode})`, { operation: 'exec', nativeCode })
}
