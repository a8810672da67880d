import { constants } from 'node:os'
import { BulkheadError } from '../core/contracts/index.ts'

const names = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]))

/** Name of an errno (`EACCES`), or `errno 123` where Node knows none. */
export function errorName(code: number): string {
  return names.get(code) ?? `errno ${code}`
}

/** A step of the native module that failed. `operation` is the step, with the path it was about. */
export function nativeFailure(operation: string, code: number): BulkheadError {
  const nativeCode = errorName(code)
  if (code === constants.errno.ENOSPC)
    return new BulkheadError('host_no_space', `${operation}: the disk is full`, { operation, nativeCode })
  return new BulkheadError('native_failed', `${operation} failed with ${nativeCode}`, {
    operation,
    nativeCode,
    remedy: 'Run `bulkhead doctor` to see what this machine can do.',
  })
}
