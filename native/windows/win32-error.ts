import type { ErrorTable } from '../error.ts'
import { explainLogon } from './logon-error.ts'

/**
 * System error codes (winerror.h, winsock2.h) under the errno names that verdicts are judged by on every system. Only where the meaning
 * is the same: what is not here keeps its number, so that it proves nothing by accident.
 */
const names: ReadonlyMap<number, string> = new Map([
  [2, 'ENOENT'], // ERROR_FILE_NOT_FOUND
  [3, 'ENOENT'], // ERROR_PATH_NOT_FOUND
  [5, 'EACCES'], // ERROR_ACCESS_DENIED
  [6, 'EBADF'], // ERROR_INVALID_HANDLE
  [19, 'EROFS'], // ERROR_WRITE_PROTECT
  [32, 'EBUSY'], // ERROR_SHARING_VIOLATION
  [80, 'EEXIST'], // ERROR_FILE_EXISTS
  [87, 'EINVAL'], // ERROR_INVALID_PARAMETER
  [112, 'ENOSPC'], // ERROR_DISK_FULL
  [183, 'EEXIST'], // ERROR_ALREADY_EXISTS
  [193, 'ENOEXEC'], // ERROR_BAD_EXE_FORMAT
  [267, 'ENOTDIR'], // ERROR_DIRECTORY
  [740, 'EPERM'], // ERROR_ELEVATION_REQUIRED
  [1314, 'EPERM'], // ERROR_PRIVILEGE_NOT_HELD
  [10013, 'EACCES'], // WSAEACCES
  [10051, 'ENETUNREACH'], // WSAENETUNREACH
  [10060, 'ETIMEDOUT'], // WSAETIMEDOUT
  [10061, 'ECONNREFUSED'], // WSAECONNREFUSED
  [10065, 'EHOSTUNREACH'], // WSAEHOSTUNREACH
])

/** Win32 error codes (“System Error Codes” and “Windows Sockets Error Codes”, learn.microsoft.com). */
export const win32: ErrorTable = {
  // HRESULTs and NTSTATUS values are known by their hexadecimal form.
  name: (code) => names.get(code) ?? (code > 0xffff ? `0x${code.toString(16)}` : `win32 ${code}`),
  isNotFound: (code) => code === 2 || code === 3,
  isNoSpace: (code) => code === 112,
  explain: explainLogon,
}
