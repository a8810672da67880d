import type { Host } from '../../core/contracts/index.ts'

/**
 * Variables that Windows sets for every program, of the machine and of its user (“Recognized environment variables”). Without the first ones
 * a program cannot make a connection or a temporary file, or does not start at all.
 */
const ofWindows = [
  'SystemRoot',
  'SystemDrive',
  'windir',
  'ComSpec',
  'PATHEXT',
  'TEMP',
  'TMP',
  'OS',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
  'ProgramData',
  'ALLUSERSPROFILE',
  'ProgramFiles',
  'ProgramFiles(x86)',
  'ProgramW6432',
  'CommonProgramFiles',
  'PUBLIC',
  'USERNAME',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
]

/** What a program needs to find its way where nothing is hidden. Values are those of `variables`. */
export function surroundings({ platform, home }: Host, variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ['PATH', ...(platform === 'win32' ? ofWindows : [])]
  const values = names.flatMap((name): [string, string][] => {
    const value = variables[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { HOME: home, ...Object.fromEntries(values) }
}
