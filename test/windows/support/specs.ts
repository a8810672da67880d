import { randomInt } from 'node:crypto'
import type { CommandPart, LaunchSpec, RestrictedToken } from '../../../core/contracts/index.ts'

/** No layer contributed anything: a plain child process. */
export const bareParts: Omit<LaunchSpec, 'command'> = {
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

/** What programs of Windows take for granted (without SystemRoot there are no sockets). */
const system: Readonly<Record<string, string>> = {
  SystemRoot: process.env['SystemRoot'] ?? 'C:\\windows',
  PATH: process.env['PATH'] ?? '',
}

export function command(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): CommandPart {
  return { argv, directory: 'C:\\', environment: { ...system, ...environment } }
}

/** A script for Node. */
export function script(text: string, ...argv: readonly string[]): CommandPart {
  return command([process.execPath, '-e', text, ...argv])
}

/** As `token-restricted` makes it. Its SIDs belong to nobody. */
export function restrictedToken(more: Partial<RestrictedToken> = {}): RestrictedToken {
  const random = (): number => randomInt(2 ** 32 - 1)
  return {
    mechanism: 'windows-restricted',
    tier: 'blind',
    launchSid: `S-1-5-21-${random()}-${random()}-${random()}-${random()}`,
    restricting: ['S-1-5-32-545', 'S-1-5-12'],
    integrity: 'low',
    privateDesktop: true,
    memoryBytes: null,
    cpuPercent: null,
    account: null,
    ...more,
  }
}
