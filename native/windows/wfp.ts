import { checked, library } from './binding.ts'
import type { NativeModule } from '../module.ts'

/** The functions of `src/windows/library/wfp*.c`. */
interface FilteringPlatform {
  open(account: string, port: number, wall: [unknown], step: [string | null]): Promise<number>
  close(wall: unknown, step: [string | null]): Promise<number>
  access(user: string, wanted: number, present: [number], step: [string | null]): Promise<number>
}

/** Characters of a SID in string form, with the final 0 (SECURITY_MAX_SID_STRING_CHARACTERS). */
const longestSid = 187

let declared: FilteringPlatform | undefined

/**
 * Closes the network to a local account, but for TCP to `127.0.0.1:gatewayPort`: Windows Filtering Platform, one dynamic session, all
 * filters or none. They are gone when what is returned is disposed, and with this process. Throws `native_failed` (EACCES: not allowed to
 * add filters), `native_not_built`. Disposing twice is as good as once.
 */
export async function closeNetwork(account: string, gatewayPort: number): Promise<AsyncDisposable> {
  const wall: [unknown] = [null]
  const step: [string | null] = [null]
  report(step, await platform().open(account, gatewayPort, wall, step))
  let ended: Promise<void> | undefined
  return { [Symbol.asyncDispose]: () => (ended ??= end(wall[0])) }
}

/**
 * Whether `user` (a SID) may add filters without elevation because of the entry that `grantFiltering` makes. Takes no rights. Throws as above.
 */
export function mayFilter(user: string): Promise<boolean> {
  return access(user, -1)
}

/** Makes that entry in the access list of the filter engine. Needs elevation: throws `native_failed` with EACCES without it. */
export async function grantFiltering(user: string): Promise<void> {
  await access(user, 1)
}

/** Takes it away again; other entries stay as they are. */
export async function revokeFiltering(user: string): Promise<void> {
  await access(user, 0)
}

/** SID of the user that this process runs as. Throws `native_failed`, `native_not_built`. */
export function userOfThisProcess(): string {
  const text = Buffer.alloc(2 * longestSid)
  checked(
    'reading the user of this process',
    library().func('uint32_t bulkhead_user(_Out_ uint16_t *sid, uint32_t room)')(text, longestSid),
  )
  return text.toString('utf16le').split('\0', 1)[0] ?? ''
}

async function end(wall: unknown): Promise<void> {
  const step: [string | null] = [null]
  report(step, await platform().close(wall, step))
}

async function access(user: string, wanted: number): Promise<boolean> {
  const step: [string | null] = [null]
  const present: [number] = [0]
  report(step, await platform().access(user, wanted, present, step))
  return present[0] === 1
}

function report([step]: [string | null], result: number): void {
  checked(step ?? 'the filtering platform', result)
}

function platform(): FilteringPlatform {
  declared ??= declare()
  return declared
}

/** On threads of their own: whoever writes filters has to wait for others who do. */
function declare(): FilteringPlatform {
  const dll = library()
  return {
    open: later(dll.func('uint32_t bulkhead_wfp_open(str16 account, uint16_t port, _Out_ void **wall, _Out_ const char **step)')),
    close: later(dll.func('uint32_t bulkhead_wfp_close(void *wall, _Out_ const char **step)')),
    access: later(dll.func('uint32_t bulkhead_wfp_access(str16 user, int32_t wanted, _Out_ int32_t *present, _Out_ const char **step)')),
  }
}

/** On a thread of koffi's pool; resolves with the function's result. */
function later(call: ReturnType<NativeModule['func']>): (...args: readonly unknown[]) => Promise<number> {
  return (...args) =>
    new Promise((resolve, reject) => {
      call.async(...args, (error: Error | null, result: number) => {
        if (error === null) resolve(result)
        else reject(error)
      })
    })
}
