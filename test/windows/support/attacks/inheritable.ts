import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import koffi from 'koffi'

/**
 * A file that the host has open, inheritable by carelessness: every child that inherits at all gets it. Its handle's number, and its size
 * as its mark.
 */
export function openInheritable(
  directory: string,
): Disposable & { readonly facts: { readonly leaked: number; readonly leakedSize: number } } {
  const path = join(directory, 'leaked')
  const leakedSize = 70_000 + (process.pid % 1000)
  writeFileSync(path, Buffer.alloc(leakedSize))
  const kernel32 = koffi.load('kernel32.dll')
  const create = kernel32.func('intptr CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)')
  // SECURITY_ATTRIBUTES: length, descriptor, inherit.
  const security = Buffer.alloc(24)
  security.writeUInt32LE(24, 0)
  security.writeUInt32LE(1, 16)
  const leaked = Number(create(path, 0x80000000, 7, security, 3, 0, null))
  return { facts: { leaked, leakedSize }, [Symbol.dispose]: () => void kernel32.func('int CloseHandle(intptr handle)')(leaked) }
}
