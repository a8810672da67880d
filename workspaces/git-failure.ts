import { BulkheadError } from '../core/contracts/error.ts'
import { visibleLine } from './visible.ts'

/** What a git command is called in messages: its first word that is no option. */
export function operation(args: readonly string[]): string {
  return `git ${args.find((argument) => !argument.startsWith('-')) ?? ''}`.trim()
}

/** `host_no_space`, or `git_failed` with git's last line. */
export function failure(args: readonly string[], exitCode: number, stderr: string): BulkheadError {
  const name = operation(args)
  const line =
    stderr
      .trim()
      .split('\n')
      .findLast((text) => text.trim() !== '') ?? 'no message'
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return new BulkheadError('host_no_space', `${name}: no space left on the disk`, { operation: name, nativeCode: 'ENOSPC' })
  }
  return new BulkheadError('git_failed', `${name} failed (exit ${exitCode}): ${visibleLine(line)}`, { operation: name })
}
