import { foldCase, isInside, userFolders } from '../../native/index.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** Where things are on this machine. Windows paths, as the environment says them. */
export interface Places {
  readonly home: string
  /** Of Bulkhead: journals, workspaces; and what the user wrote for it. */
  readonly state: string
  readonly configuration: string
  /** Of this layer, in the user’s profile. */
  readonly local: string
  /** Programs and libraries that everybody runs. */
  readonly system: readonly string[]
  /** Where everybody may make something. */
  readonly shared: readonly string[]
}

export function placesOf(home: string, variables: Variables): Places {
  const folders = userFolders({ ...variables, USERPROFILE: home }, 'win32')
  const named = (name: string): string | undefined => (/^[A-Za-z]:[\\/]/.test(variables[name] ?? '') ? variables[name] : undefined)
  const all = (...names: readonly string[]): readonly string[] => names.flatMap((name) => named(name) ?? [])
  const windows = named('SystemRoot') ?? 'C:\\Windows'
  return {
    home,
    state: named('BULKHEAD_STATE') ?? `${folders.state}\\bulkhead`,
    configuration: named('BULKHEAD_CONFIG') ?? `${folders.configuration}\\bulkhead`,
    local: `${home}\\AppData\\Local\\Bulkhead`,
    system: distinct([windows, ...all('ProgramFiles', 'ProgramFiles(x86)', 'ProgramW6432')]),
    shared: distinct([`${windows.slice(0, 2)}\\`, ...all('ProgramData', 'ALLUSERSPROFILE', 'PUBLIC'), `${windows}\\Temp`]),
  }
}

/** As they are spelled on the disk, and where their links lead: what is compared with them is. `real` is undefined for what is not there. */
export function realPlaces(places: Places, real: (path: string) => string | undefined): Places {
  const at = (path: string): string => real(path) ?? path
  const { state, configuration, system, shared } = places
  return { ...places, state: at(state), configuration: at(configuration), system: system.map(at), shared: shared.map(at) }
}

export const lockFile = ({ local }: Places): string => `${local}\\access-lists.lock`
export const leasesFolder = ({ local }: Places): string => `${local}\\labels`
export const privateFolder = ({ local }: Places): string => `${local}\\private`

/** The directories on the way to a canonical path, from the drive down, itself not. */
export function above(path: string): readonly string[] {
  const names = path.split('\\').filter((name) => name !== '')
  return names.slice(0, -1).map((_, index) => (index === 0 ? `${names[0]}\\` : names.slice(0, index + 1).join('\\')))
}

/** Without those that lie in another one. */
export function outermost(paths: readonly string[]): readonly string[] {
  const all = distinct(paths)
  return all.filter((path) => !all.some((other) => other !== path && isInside(path, other)))
}

/** The first of each, whatever its case. */
export function distinct(paths: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return paths.filter((path) => seen.size < seen.add(foldCase(path)).size)
}
