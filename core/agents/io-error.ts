import { BulkheadError } from '../contracts/error.ts'

/** A failed file operation of the host as an error of ours: `host_no_space` when the disk is full, `workspace_failed` otherwise. */
export function ioError(error: unknown, operation: string, path: string): BulkheadError {
  if (BulkheadError.is(error)) return error
  const nativeCode = codeOf(error)
  const full = nativeCode === 'ENOSPC' || nativeCode === 'EDQUOT'
  return new BulkheadError(full ? 'host_no_space' : 'workspace_failed', `cannot ${operation} ${path}: ${nativeCode ?? String(error)}`, {
    operation,
    where: path,
    remedy: full ? 'Make room on this disk.' : 'Check that the state directory of Bulkhead belongs to you.',
    ...(nativeCode !== undefined && { nativeCode }),
    cause: error,
  })
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
