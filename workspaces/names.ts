import { BulkheadError } from '../core/contracts/error.ts'
import { visibleLine } from './visible.ts'

const workspaceName = /^[a-z0-9][a-z0-9-]{0,62}$/
/** Names that are devices on Windows in every directory. */
export const reservedName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i
const hash = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** Throws `usage_invalid` unless `name` can safely be a directory, a ref component and a git worktree id. */
export function checkName(name: string): string {
  if (workspaceName.test(name) && !reservedName.test(name)) return name
  throw new BulkheadError('usage_invalid', `'${visibleLine(name, 80)}' is not a workspace name`, {
    remedy: 'Use 1 to 63 characters of a-z, 0-9 and -, not beginning with -, and no device name such as con.',
  })
}

/** Throws `usage_invalid` unless `value` is a full object id in lower case. */
export function checkHash(value: string): string {
  if (hash.test(value)) return value
  throw new BulkheadError('usage_invalid', `'${visibleLine(value, 80)}' is not a full commit hash`)
}

/**
 * Throws `usage_invalid` unless `ref` is a full branch name (`refs/heads/...`) that git-check-ref-format(1) accepts. Stricter in one way:
 * no component begins with `-`, so that a ref can never be read as an option (`refs/heads/--output=x`).
 */
export function checkBranch(ref: string): string {
  const name = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : ''
  const components = name.split('/')
  const valid =
    name !== '' &&
    ref.length <= 1000 &&
    // oxlint-disable-next-line no-control-regex -- refused by git too
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/.test(name) &&
    components.every((part) => part !== '' && !part.startsWith('.') && !part.startsWith('-') && !part.endsWith('.lock'))
  if (valid) return ref
  throw new BulkheadError('usage_invalid', `'${visibleLine(ref, 120)}' is not a full branch name`, {
    remedy: 'Write it as refs/heads/<branch>.',
  })
}

/** Throws `usage_invalid` for a revision that git could take for an option or that holds control characters. */
export function checkRevision(revision: string): string {
  // oxlint-disable-next-line no-control-regex -- refused
  if (revision !== '' && revision.length <= 1000 && !revision.startsWith('-') && !/[\u0000-\u001f\u007f]/.test(revision)) return revision
  throw new BulkheadError('usage_invalid', `'${visibleLine(revision, 120)}' is not a revision`)
}
