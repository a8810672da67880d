import { BulkheadError } from '../../core/contracts/index.ts'
import { nativeFailure } from '../error.ts'
import type { NativeModule } from '../module.ts'
import { checked, library } from './binding.ts'
import { parseLabel, printLabel } from './label.ts'
import { win32 } from './win32-error.ts'

/** What a path named when it was looked at. */
export interface SecuredObject {
  /** Volume and file id in hexadecimal: the object itself, whatever it is called. Plain text, for receipts. */
  readonly identity: string
  readonly directory: boolean
  /** A junction, a symbolic link or any other reparse point. */
  readonly link: boolean
  /** How many names lead to this file. */
  readonly names: number
  /** As Windows prints it: `D:PAI(A;OICI;FA;;;SY)...`. */
  readonly sddl: string
}

export type SecurityPart = 'access' | 'label'

/**
 * Security descriptors of files and directories, one object at a time; nothing is passed on to what a directory contains.
 *
 * Paths are canonical (`canonicalPath`): absolute, with a drive letter and long names. Every function throws `native_failed` with the
 * Win32 error under its errno name, `host_unsupported` where the volume has no access lists or the path leads through a link.
 */
export interface FileSecurity {
  /** The access list (`D:...`) or the mandatory label (`S:(ML;...)`, empty text when there is none). Undefined: there is nothing. */
  read(path: string, part: SecurityPart): SecuredObject | undefined
  /** Replaces that part of the object that was read as `identity`; another object is not touched. Flags (`P`, `AI`) are kept as given. */
  write(path: string, identity: string, part: SecurityPart, sddl: string): void
  /** Makes a directory that has this descriptor from the beginning. Fails when there is something of that name. */
  makeDirectory(path: string, sddl: string): void
  /**
   * Deletes a directory with all that is in it, however deep, and follows no link. What shuts its owner out is opened first. Nothing there:
   * nothing to do.
   */
  deleteTree(path: string): void
  /**
   * Where the path leads, as it is spelled on the disk: in its case, with long names for short ones, and through links, except for one at
   * its end. Undefined when nothing is there.
   */
  finalPath(path: string): string | undefined
  /** SID of the user that this process runs as. */
  userSid(): string
  /** SID of a local group; undefined when there is none of that name. */
  groupSid(name: string): string | undefined
  /** Keeps every other process out until it is disposed of or this process ends. Makes the file. Undefined while somebody else has it. */
  lock(path: string): Disposable | undefined
}

let loaded: FileSecurity | undefined

/** Throws `host_unsupported` on another system, `native_not_built`, `native_abi_mismatch`. */
export function fileSecurity(): FileSecurity {
  if (process.platform !== 'win32') {
    throw new BulkheadError('host_unsupported', 'access control lists are a feature of Windows', {
      remedy: 'Choose another filesystem layer.',
    })
  }
  loaded ??= declare(library())
  return loaded
}

/** System error codes (winerror.h). */
const code = {
  fileNotFound: 2,
  pathNotFound: 3,
  sharingViolation: 32,
  notSupported: 50,
  moreData: 234,
  fileInvalid: 1006,
  noneMapped: 1332,
  cannotResolve: 1921,
}

/** FILE_ATTRIBUTE_* (winnt.h). */
const attribute = { directory: 0x10, reparsePoint: 0x400 }

function declare(dll: NativeModule): FileSecurity {
  const readAccess = dll.func('uint32_t bulkhead_access_read(str16 path, void *object, void *sddl, uint32_t *length)')
  const writeAccess = dll.func('uint32_t bulkhead_access_write(str16 path, void *expected, str16 sddl)')
  const readLabel = dll.func('uint32_t bulkhead_label_read(str16 path, void *object, void *label)')
  const writeLabel = dll.func('uint32_t bulkhead_label_write(str16 path, void *expected, void *label)')
  const make = dll.func('uint32_t bulkhead_directory_make(str16 path, str16 sddl)')
  const finalPath = dll.func('uint32_t bulkhead_final_path(str16 path, void *text, uint32_t *length)')
  const userSid = dll.func('uint32_t bulkhead_user_sid(void *text, uint32_t *length)')
  const groupSid = dll.func('uint32_t bulkhead_group_sid(str16 name, void *text, uint32_t *length)')
  const lock = dll.func('uint32_t bulkhead_lock(str16 path, uint64_t *lock)')
  const unlock = dll.func('void bulkhead_unlock(uint64_t lock)')
  const deleteTree = dll.func('uint32_t bulkhead_tree_delete(str16 path)')

  return {
    read(path, part) {
      const facts = Buffer.alloc(32)
      const label = Buffer.alloc(16)
      const { error, text } =
        part === 'access'
          ? spelled((buffer, length) => readAccess(extended(path), facts, buffer, length))
          : { error: Number(readLabel(extended(path), facts, label)), text: '' }
      if (isAbsent(error)) return undefined
      succeeded(`reading the ${part} of ${path}`, error)
      return { ...describe(facts), sddl: part === 'access' ? text : printLabel(label) }
    },
    write(path, identity, part, sddl) {
      const place = [extended(path), identified(identity)] as const
      succeeded(`setting the ${part} of ${path}`, part === 'access' ? writeAccess(...place, sddl) : writeLabel(...place, parseLabel(sddl)))
    },
    makeDirectory: (path, sddl) => succeeded(`making the directory ${path}`, make(extended(path), sddl)),
    deleteTree: (path) => succeeded(`deleting ${path}`, deleteTree(extended(path))),
    finalPath(path) {
      const { error, text } = spelled((buffer, length) => finalPath(extended(path), buffer, length))
      if (isAbsent(error)) return undefined
      succeeded(`looking up ${path}`, error)
      return text.replace(/^\\\\\?\\/, '')
    },
    userSid() {
      const { error, text } = spelled((buffer, length) => userSid(buffer, length))
      succeeded('looking up the user', error)
      return text
    },
    groupSid(name) {
      const { error, text } = spelled((buffer, length) => groupSid(name, buffer, length))
      if (error === code.noneMapped) return undefined
      succeeded(`looking up the group ${name}`, error)
      return text
    },
    lock(path) {
      const held = new BigUint64Array(1)
      const error = Number(lock(extended(path), held))
      if (error === code.sharingViolation) return undefined
      succeeded(`locking ${path}`, error)
      let open = true
      return {
        [Symbol.dispose]: () => {
          if (open) unlock(held[0])
          open = false
        },
      }
    },
  }
}

/** Past the limit of 260 characters, and taken literally (“Maximum Path Length Limitation”). */
function extended(path: string): string {
  return `\\\\?\\${path}`
}

/** Calls again with more room when a text did not fit. `length` is in UTF-16 units with the final 0, both ways. */
export function spelled(call: (buffer: Buffer, length: Uint32Array) => unknown): { readonly error: number; readonly text: string } {
  for (let room = 2048; ;) {
    const buffer = Buffer.alloc(room * 2)
    const length = new Uint32Array([room])
    const error = Number(call(buffer, length))
    const [needed = 0] = length
    // A text may grow between two calls; one that does not ask for more room is not called again.
    if (error === code.moreData && needed > room) room = needed
    else return { error, text: error === 0 ? buffer.toString('utf16le', 0, Math.max(0, needed - 1) * 2) : '' }
  }
}

/** `struct bh_object` of src/windows/library/object.h. */
function describe(facts: Buffer): Omit<SecuredObject, 'sddl'> {
  const attributes = facts.readUInt32LE(0)
  return {
    identity: facts.toString('hex', 8),
    directory: (attributes & attribute.directory) !== 0,
    link: (attributes & attribute.reparsePoint) !== 0,
    names: facts.readUInt32LE(4),
  }
}

function identified(identity: string): Buffer {
  if (!/^[0-9a-f]{48}$/.test(identity)) throw new TypeError(`"${identity}" is no file identity`)
  return Buffer.concat([Buffer.alloc(8), Buffer.from(identity, 'hex')])
}

function isAbsent(error: number): boolean {
  return error === code.fileNotFound || error === code.pathNotFound
}

function succeeded(operation: string, result: unknown): void {
  const error = Number(result)
  if (error === code.notSupported) {
    throw new BulkheadError('host_unsupported', `${operation}: its volume has no access control lists`, {
      operation,
      remedy: 'Use a volume with NTFS.',
    })
  }
  if (error === code.cannotResolve) {
    throw new BulkheadError('host_unsupported', `${operation}: the path leads through a link, a substituted drive or a short name`, {
      operation,
      remedy: 'Name the place itself.',
    })
  }
  if (error === code.fileInvalid) {
    const { details } = nativeFailure(win32, operation, error)
    throw new BulkheadError('native_failed', `${operation}: it is another object by now`, details)
  }
  checked(operation, error)
}
