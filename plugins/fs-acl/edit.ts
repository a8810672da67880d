import { BulkheadError } from '../../core/contracts/index.ts'
import type { FileSecurity, SecuredObject } from '../../native/index.ts'
import { addEntries, parseList, printList, removeEntries } from './sddl.ts'
import type { AccessList, Entry } from './sddl.ts'

/** The list of an object that was read. Throws `host_unsupported` for one that lets everybody do everything. */
export function listOf(path: string, { sddl }: Pick<SecuredObject, 'sddl'>): AccessList {
  const list = parseList(sddl)
  if (list !== undefined) return list
  throw new BulkheadError('host_unsupported', `${path} has no access list that could be added to`, {
    where: path,
    operation: 'access list',
    remedy: 'Give it an access list (icacls <path> /reset).',
  })
}

/** To be done while nobody else does. False: what was `identity` is not there any more. */
export function add(security: FileSecurity, path: string, identity: string, entries: readonly Entry[]): boolean {
  return change(security, path, identity, (list) => addEntries(list, entries))
}

/**
 * The same. What was there before the entries came is there again, letter by letter, unless somebody changed it meanwhile; then what they
 * made of it stays, without our entries.
 */
export function remove(security: FileSecurity, path: string, identity: string, entries: readonly Entry[], before: string | null): boolean {
  return change(security, path, identity, (list) => {
    const left = removeEntries(list, entries)
    const original = before === null ? undefined : parseList(before)
    return original !== undefined && isSame(left, original) ? original : left
  })
}

function change(security: FileSecurity, path: string, identity: string, edit: (list: AccessList) => AccessList): boolean {
  const found = security.read(path, 'access')
  if (found === undefined || found.identity !== identity) return false
  const text = printList(edit(listOf(path, found)))
  if (text !== found.sddl) security.write(path, identity, 'access', text)
  return true
}

function isSame(one: AccessList, other: AccessList): boolean {
  const [left, right] = [one, other].map(({ entries }) => entries.toSorted().join(''))
  return one.flags === other.flags && left === right
}

/** As the content of a directory has it that was inherited: files pass nothing on. */
export function forContent(entries: readonly Entry[], directory: boolean): readonly Entry[] {
  return directory ? entries : entries.map((entry) => ({ ...entry, flags: entry.flags.filter((flag) => flag === 'ID') }))
}

/** The user may not change it either. */
export function isDenied(error: unknown): boolean {
  return BulkheadError.is(error) && error.details.nativeCode === 'EACCES'
}
