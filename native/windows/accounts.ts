import type { NativeModule } from '../module.ts'
import { checked, library } from './binding.ts'
import { spelled } from './security.ts'

/** What the local account database says of an account. */
export interface LocalAccount {
  readonly sid: string
  readonly comment: string
  readonly disabled: boolean
}

/**
 * Local accounts and groups (Win32: “Network Management Functions”, “LSA Policy”). Each function is one step, and doing it twice is as good as
 * once. What changes anything needs an administrator: `native_failed` with EACCES without. Passwords never come here.
 */
export interface LocalAccounts {
  read(name: string): LocalAccount | undefined
  /**
   * Makes the account, or gives the one of that name a new password and enables it. The password is left in `secretFile`, protected for this
   * user, in a file with the descriptor `sddl`; in `<secretFile>.new` until the account has it.
   */
  make(name: string, comment: string, secretFile: string, sddl: string): void
  /** Whether the password in that file can be opened by this user. */
  opens(name: string, secretFile: string): boolean
  remove(name: string): void
  /** Its profile: directory, registry hive and entry. */
  removeProfile(sid: string): void
  /** Ends everything that runs under it. */
  endProcesses(sid: string): void
  /** On the sign-in screen. */
  hide(name: string): void
  show(name: string): void
  isHidden(name: string): boolean
  makeGroup(name: string, comment: string): void
  removeGroup(name: string): void
  /** SIDs; none when there is no such group. */
  members(group: string): readonly string[]
  /** Both are SIDs. */
  join(group: string, member: string): void
  leave(group: string, member: string): void
  /** Account rights of a SID; undefined when this process may not ask. */
  rights(sid: string): readonly string[] | undefined
  addRights(sid: string, rights: readonly string[]): void
  clearRights(sid: string): void
}

let loaded: LocalAccounts | undefined

/** Throws `native_not_built`, `native_abi_mismatch`. */
export function localAccounts(): LocalAccounts {
  loaded ??= declare(library())
  return loaded
}

/** winerror.h, lmerr.h. */
const code = { accessDenied: 5, userNotFound: 2221 }

/** UF_ACCOUNTDISABLE, UF_LOCKOUT (lmaccess.h). */
const unusable = 0x2 | 0x10

function declare(dll: NativeModule): LocalAccounts {
  return { ...accountFunctions(dll), ...groupFunctions(dll) }
}

function text(operation: string, call: (buffer: Buffer, length: Uint32Array) => unknown): string {
  const answer = spelled(call)
  checked(operation, answer.error)
  return answer.text
}

function flag(operation: string, call: (value: Uint32Array) => unknown): boolean {
  const value = new Uint32Array(1)
  checked(operation, call(value))
  return value[0] === 1
}

function linesOf(list: string): readonly string[] {
  return list.split('\n').filter((line) => line !== '')
}

type AccountFunction = 'read' | 'make' | 'opens' | 'remove' | 'removeProfile' | 'endProcesses' | 'hide' | 'show' | 'isHidden'

function accountFunctions(dll: NativeModule): Pick<LocalAccounts, AccountFunction> {
  const read = dll.func('uint32_t bulkhead_account_read(str16 name, void *text, uint32_t *length)')
  const make = dll.func('uint32_t bulkhead_account_make(str16 name, str16 comment, str16 file, str16 fresh, str16 sddl)')
  const check = dll.func('uint32_t bulkhead_account_check(str16 name, str16 file)')
  const remove = dll.func('uint32_t bulkhead_account_remove(str16 name)')
  const forget = dll.func('uint32_t bulkhead_account_forget(str16 sid)')
  const end = dll.func('uint32_t bulkhead_account_end(str16 sid)')
  const hide = dll.func('uint32_t bulkhead_account_hide(str16 name)')
  const show = dll.func('uint32_t bulkhead_account_show(str16 name)')
  const hidden = dll.func('uint32_t bulkhead_account_hidden(str16 name, uint32_t *hidden)')
  return {
    read(name) {
      let missing = false
      const line = text(`looking up the account ${name}`, (buffer, length) => {
        const error = Number(read(name, buffer, length))
        missing = error === code.userNotFound
        return missing ? 0 : error
      })
      if (missing) return undefined
      const [sid = '', flags = '', ...comment] = line.split(' ')
      return { sid, comment: comment.join(' '), disabled: (Number(flags) & unusable) !== 0 }
    },
    make: (name, comment, file, sddl) => checked(`making the account ${name}`, make(name, comment, file, `${file}.new`, sddl)),
    opens: (name, file) => Number(check(name, file)) === 0,
    remove: (name) => checked(`removing the account ${name}`, remove(name)),
    removeProfile: (sid) => checked(`removing the profile of ${sid}`, forget(sid)),
    endProcesses: (sid) => checked(`ending what runs under ${sid}`, end(sid)),
    hide: (name) => checked(`hiding the account ${name}`, hide(name)),
    show: (name) => checked(`showing the account ${name}`, show(name)),
    isHidden: (name) => flag(`looking whether ${name} is hidden`, (value) => hidden(name, value)),
  }
}

function groupFunctions(dll: NativeModule): Omit<LocalAccounts, AccountFunction> {
  const make = dll.func('uint32_t bulkhead_group_make(str16 name, str16 comment)')
  const remove = dll.func('uint32_t bulkhead_group_remove(str16 name)')
  const members = dll.func('uint32_t bulkhead_group_members(str16 name, void *text, uint32_t *length)')
  const join = dll.func('uint32_t bulkhead_group_join(str16 group, str16 member)')
  const leave = dll.func('uint32_t bulkhead_group_leave(str16 group, str16 member)')
  const rights = dll.func('uint32_t bulkhead_rights_read(str16 sid, void *text, uint32_t *length)')
  const add = dll.func('uint32_t bulkhead_rights_add(str16 sid, str16 rights)')
  const clear = dll.func('uint32_t bulkhead_rights_clear(str16 sid)')
  return {
    makeGroup: (name, comment) => checked(`making the group ${name}`, make(name, comment)),
    removeGroup: (name) => checked(`removing the group ${name}`, remove(name)),
    members: (group) => linesOf(text(`listing the group ${group}`, (buffer, length) => members(group, buffer, length))),
    join: (group, member) => checked(`adding ${member} to ${group}`, join(group, member)),
    leave: (group, member) => checked(`taking ${member} out of ${group}`, leave(group, member)),
    rights(sid) {
      let forbidden = false
      const list = text(`reading the rights of ${sid}`, (buffer, length) => {
        const error = Number(rights(sid, buffer, length))
        forbidden = error === code.accessDenied
        return forbidden ? 0 : error
      })
      return forbidden ? undefined : linesOf(list)
    },
    addRights: (sid, names) => checked(`giving rights to ${sid}`, add(sid, names.join('\n'))),
    clearRights: (sid) => checked(`taking rights from ${sid}`, clear(sid)),
  }
}
