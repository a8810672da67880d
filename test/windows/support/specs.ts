import type { CommandPart, LaunchSpec } from '../../../core/contracts/index.ts'

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
