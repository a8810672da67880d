import { constants } from 'node:os'
import type { ErrorTable } from '../error.ts'

const names = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]))

/** errno(3), by the names that Node knows. */
export const errno: ErrorTable = {
  name: (code) => names.get(code) ?? `errno ${code}`,
  isNotFound: (code) => code === constants.errno.ENOENT,
  isNoSpace: (code) => code === constants.errno.ENOSPC,
}
