import { BulkheadError } from '../../core/contracts/index.ts'
import type { SecuredObject } from '../../native/index.ts'
import type { Disk } from './disk.ts'
import { add, forContent, isDenied, listOf, remove } from './edit.ts'
import type { AclReceipt } from './receipts.ts'
import { parseList, removeEntries } from './sddl.ts'
import type { Entry } from './sddl.ts'
import { walk } from './walk.ts'

export type TreeReceipt = Extract<AclReceipt, { kind: 'tree' }>

/**
 * Adds the receipt's entries to a directory and to all that is in it, one by one and by handle: what Windows itself does when an inherited
 * entry is added (“Automatic propagation of inheritable ACEs”), without following a link and without touching what else is in a list.
 *
 * The directory comes first, so that what is made in it meanwhile inherits. What is protected against inheritance is left out with its
 * content, unless the receipt says `everywhere`; then nothing may be left out. Throws what `FileSecurity` throws.
 */
export async function addToTree(disk: Disk, { root, content, shared, everywhere }: TreeReceipt, signal: AbortSignal): Promise<void> {
  if (!add(disk.security, root.path, root.identity, root.added)) throw gone(root.path)
  await walk(disk, root.path, signal, ({ path, directory }) => {
    try {
      const found = disk.security.read(path, 'access')
      if (found === undefined || found.link) return 'leave'
      if (!everywhere && listOf(path, found).flags.includes('P')) return 'leave'
      add(disk.security, path, found.identity, forContent(hasOtherNames(found) ? shared : content, directory))
      return 'enter'
    } catch (error) {
      if (everywhere || !isDenied(error)) throw error
      // Somebody else's: the agent gets no more than we could give it.
      return 'leave'
    }
  })
}

/** A file that has a name outside too would be opened there as well. */
function hasOtherNames({ directory, names }: SecuredObject): boolean {
  return !directory && names > 1
}

/** Tries everything; throws the first failure afterwards. */
export async function removeFromTree(disk: Disk, { root, content, shared }: TreeReceipt): Promise<void> {
  const failures: unknown[] = []
  const attempt = (work: () => unknown): void => {
    try {
      work()
    } catch (error) {
      failures.push(error)
    }
  }
  const found = disk.security.read(root.path, 'access')
  if (found?.identity !== root.identity) return
  // First, so that nothing that is made meanwhile inherits it any more.
  attempt(() => remove(disk.security, root.path, root.identity, root.added, root.before))
  await walk(disk, root.path, null, ({ path, directory }) => {
    attempt(() => {
      const inside = disk.security.read(path, 'access')
      if (inside === undefined || inside.link) return
      const [usual, narrow] = [forContent(content, directory), forContent(shared, directory)]
      // Other names may have come or gone since.
      remove(disk.security, path, inside.identity, !has(inside, usual) && has(inside, narrow) ? narrow : usual, null)
    })
    return 'enter'
  })
  if (failures.length > 0) throw failures[0]
}

function has({ sddl }: SecuredObject, entries: readonly Entry[]): boolean {
  const list = parseList(sddl)
  return list !== undefined && removeEntries(list, entries).entries.length < list.entries.length
}

function gone(path: string): BulkheadError {
  return new BulkheadError('native_failed', `${path} was exchanged while it was being opened to the agent`, {
    where: path,
    operation: 'grant',
  })
}
