import { createHash } from 'node:crypto'
import { foldCase } from '../../native/index.ts'

/** Read access for everybody who can sign in: what restricted tokens can read of the system, they read through this group. */
export const users = 'S-1-5-32-545'

/**
 * The SID that the agents of one workspace have among their restricting ones, and nobody else: 128 bit of SHA-256 over the path. It is in
 * no account database, so nothing but what is granted to it here can ever be opened by it. In UTF-16, as the system keeps paths.
 */
export function workspaceSid(path: string): string {
  const digest = createHash('sha256')
    .update('bulkhead workspace\0')
    .update(Buffer.from(foldCase(path), 'utf16le'))
    .digest()
  const parts = [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset))
  return `S-1-5-21-${parts.join('-')}`
}
