import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs'

/** Absent on Windows, where node leaves them undefined. */
const { O_NOFOLLOW, O_NONBLOCK } = constants as Partial<typeof constants>

/**
 * open(2) that never follows a link at the end of `path` and never waits for the other end of a pipe: somebody else may put either there at
 * any time. Where the system has no flag for that, what was opened must be what lstat(2) saw before. Throws `ELOOP` for a link, and what
 * open(2) does.
 */
export function openPlain(path: string, flags: number, mode?: number): number {
  if (O_NOFOLLOW !== undefined) return openSync(path, flags | O_NOFOLLOW | (O_NONBLOCK ?? 0), mode)
  const before = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (before?.isSymbolicLink() === true) throw looped(path)
  // Whoever makes it now must not find that somebody else was quicker with a link.
  const create = before === undefined && (flags & constants.O_CREAT) !== 0 ? constants.O_EXCL : 0
  const descriptor = openSync(path, flags | create, mode)
  if (before === undefined) return descriptor
  const { dev, ino } = fstatSync(descriptor, { bigint: true })
  if (dev === before.dev && ino === before.ino) return descriptor
  closeSync(descriptor)
  throw looped(path)
}

function looped(path: string): Error {
  return Object.assign(new Error(`ELOOP: ${path} is a link, or was exchanged`), { code: 'ELOOP', path })
}
