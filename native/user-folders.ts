import { homedir } from 'node:os'
import { posix, win32 } from 'node:path'

/** Where programs keep a user's files on this system. Absolute. */
export interface UserFolders {
  readonly home: string
  /** Above what a person writes for a program. */
  readonly configuration: string
  /** Above what a program keeps for itself on this machine. */
  readonly state: string
}

type Variables = Readonly<Record<string, string | undefined>>

/** Looked up by environment variables, never on the disk, so that a test or a script can move them. */
export function userFolders(variables: Variables, system: NodeJS.Platform = process.platform): UserFolders {
  return system === 'win32' ? windows(variables) : freedesktop(variables)
}

/** XDG Base Directory Specification 0.8: a relative path is invalid and must be ignored. */
function freedesktop(variables: Variables): UserFolders {
  const absolute = (name: string): string | undefined => (posix.isAbsolute(variables[name] ?? '') ? variables[name] : undefined)
  const home = absolute('HOME') ?? homedir()
  return {
    home,
    configuration: absolute('XDG_CONFIG_HOME') ?? posix.join(home, '.config'),
    state: absolute('XDG_STATE_HOME') ?? posix.join(home, '.local', 'state'),
  }
}

/**
 * “Recognized environment variables” (User State Migration Tool): APPDATA roams with the user, LOCALAPPDATA stays on the machine. HOME is
 * not asked: where it is set at all, a Unix shell has set it, in a spelling of its own.
 */
function windows(variables: Variables): UserFolders {
  const absolute = (name: string): string | undefined => (/^[A-Za-z]:[\\/]/.test(variables[name] ?? '') ? variables[name] : undefined)
  const home = absolute('USERPROFILE') ?? homedir()
  return {
    home,
    configuration: absolute('APPDATA') ?? win32.join(home, 'AppData', 'Roaming'),
    state: absolute('LOCALAPPDATA') ?? win32.join(home, 'AppData', 'Local'),
  }
}
