import { readdirSync } from 'node:fs'
import koffi from 'koffi'

const kernel32 = koffi.load('kernel32.dll')
const user32 = koffi.load('user32.dll')
const desktopProc = koffi.pointer(koffi.proto('int DesktopProc(str16 name, intptr parameter)'))

export interface WindowsProcess {
  readonly pid: number
  readonly parent: number
  readonly program: string
}

/** Every process there is (Tool Help library, PROCESSENTRY32W: 568 bytes on 64-bit Windows). */
export function processes(): readonly WindowsProcess[] {
  const snapshot: unknown = kernel32.func('void *CreateToolhelp32Snapshot(uint32 flags, uint32 pid)')(2, 0)
  const entry = Buffer.alloc(568)
  entry.writeUInt32LE(568, 0)
  const found: WindowsProcess[] = []
  const next = kernel32.func('int Process32NextW(void *snapshot, void *entry)')
  let more: unknown = kernel32.func('int Process32FirstW(void *snapshot, void *entry)')(snapshot, entry)
  while (more !== 0) {
    const name = entry.toString('utf16le', 44, 564)
    found.push({ pid: entry.readUInt32LE(8), parent: entry.readUInt32LE(32), program: name.slice(0, name.indexOf('\0')) })
    more = next(snapshot, entry)
  }
  kernel32.func('int CloseHandle(void *handle)')(snapshot)
  return found
}

/** Names of the desktops of this process's window station. */
export function desktops(): readonly string[] {
  const names: string[] = []
  const callback = koffi.register((name: string) => {
    names.push(name)
    return 1
  }, desktopProc)
  const station: unknown = user32.func('void *GetProcessWindowStation()')()
  user32.func('int EnumDesktopsW(void *station, void *callback, intptr parameter)')(station, callback, 0)
  koffi.unregister(callback)
  return names.toSorted()
}

/** Every name below a directory; none where it does not exist. */
export function namesBelow(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()
  } catch {
    return []
  }
}
