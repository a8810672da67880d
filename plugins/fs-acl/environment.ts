import { distinct } from './places.ts'

export interface EnvironmentFacts {
  /** The agent’s own directory; what programs keep for a user goes there. Canonical. */
  readonly home: string
  /** Directories of programs, beside the system’s. */
  readonly path: readonly string[]
  readonly gitDirectory: string | null
  readonly workspace: string
  /** The host's variables; only those that describe the machine are taken. */
  readonly host: Readonly<Record<string, string | undefined>>
}

type Environment = Readonly<Record<string, string>>

/** What describes the machine and not its user (“Recognized environment variables”), and the language. */
const ofTheMachine = [
  'SystemRoot',
  'SystemDrive',
  'windir',
  'ComSpec',
  'PATHEXT',
  'OS',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
  'PROCESSOR_IDENTIFIER',
  'PROCESSOR_LEVEL',
  'PROCESSOR_REVISION',
  'ProgramData',
  'ALLUSERSPROFILE',
  'ProgramFiles',
  'ProgramFiles(x86)',
  'ProgramW6432',
  'CommonProgramFiles',
  'CommonProgramFiles(x86)',
  'CommonProgramW6432',
  'PUBLIC',
  'LANG',
  'TERM',
] as const

export const folders = {
  roaming: 'AppData\\Roaming',
  local: 'AppData\\Local',
  temporary: 'AppData\\Local\\Temp',
} as const

/**
 * What a program needs to find its way. Whatever the environment says already stays (names are the same in any case here), but PATH is
 * completed: there may be toolchains that nobody would find otherwise.
 */
export function withSurroundings(environment: Environment, facts: EnvironmentFacts): Environment {
  const { home, gitDirectory, workspace, host } = facts
  const own: Environment = {
    ...machine(host),
    USERPROFILE: home,
    HOME: home,
    HOMEDRIVE: home.slice(0, 2),
    HOMEPATH: home.slice(2),
    APPDATA: `${home}\\${folders.roaming}`,
    LOCALAPPDATA: `${home}\\${folders.local}`,
    TEMP: `${home}\\${folders.temporary}`,
    TMP: `${home}\\${folders.temporary}`,
    // The directory is not where git would look for it: `.git` in the tree is nobody's.
    ...(gitDirectory !== null && { GIT_DIR: gitDirectory, GIT_WORK_TREE: workspace }),
  }
  const given = new Set(Object.keys(environment).map((name) => name.toUpperCase()))
  const missing = Object.entries(own).filter(([name]) => !given.has(name.toUpperCase()))
  const pathName = Object.keys(environment).find((name) => name.toUpperCase() === 'PATH')
  const { [pathName ?? 'PATH']: path, ...rest } = environment
  return { ...Object.fromEntries(missing), ...rest, PATH: completePath(path, facts) }
}

/** Under the names of the list, whatever case the host has them in. */
function machine(host: EnvironmentFacts['host']): Environment {
  const found = new Map(Object.entries(host).map(([name, value]) => [name.toUpperCase(), value]))
  return Object.fromEntries(
    ofTheMachine.flatMap((name): [string, string][] => {
      const value = found.get(name.toUpperCase())
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function completePath(given: string | undefined, { path, host }: EnvironmentFacts): string {
  const windows = machine(host)['SystemRoot'] ?? 'C:\\Windows'
  const system = ['System32', '', 'System32\\Wbem', 'System32\\WindowsPowerShell\\v1.0'].map((name) =>
    `${windows}\\${name}`.replace(/\\$/, ''),
  )
  const directories = given === undefined || given === '' ? [] : given.split(';')
  return distinct([...directories, ...path, ...system]).join(';')
}
