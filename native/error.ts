import { BulkheadError } from '../core/contracts/index.ts'

/** What the native module says in numbers (errno, Win32 error codes), in words. */
export interface ErrorTable {
  /** `EACCES`; a number with its kind where there is no such name. */
  readonly name: (code: number) => string
  isNotFound(code: number): boolean
  isNoSpace(code: number): boolean
}

/** A step of the native module that failed. `operation` is the step, with what it was about. */
export function nativeFailure(errors: ErrorTable, operation: string, code: number): BulkheadError {
  const nativeCode = errors.name(code)
  if (errors.isNoSpace(code)) return new BulkheadError('host_no_space', `${operation}: the disk is full`, { operation, nativeCode })
  return new BulkheadError('native_failed', `${operation} failed with ${nativeCode}`, {
    operation,
    nativeCode,
    remedy: 'Run `bulkhead doctor` to see what this machine can do.',
  })
}

/** Why the command of a launch could not be executed. */
export function launchFailure(errors: ErrorTable, code: number): BulkheadError {
  if (errors.isNotFound(code)) {
    return new BulkheadError('launch_not_found', 'the command does not exist inside the workspace', {
      nativeCode: errors.name(code),
      remedy: 'Check its name; programs outside the system directories must be on PATH or named under policy.filesystem.read.',
    })
  }
  const { message, details } = nativeFailure(errors, 'exec', code)
  return new BulkheadError('launch_not_executable', message, {
    ...details,
    remedy: 'Check that it is executable and has an interpreter line.',
  })
}
