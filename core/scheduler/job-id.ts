import { randomInt } from 'node:crypto'

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** `job_` and 12 characters of a-z0-9, from the system's random source. */
export function newJobId(): string {
  return `job_${Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('')}`
}
