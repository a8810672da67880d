import { basename, dirname } from 'node:path/win32'
import { canonicalPath, isInside } from '../../native/index.ts'
import type { SecuredObject } from '../../native/index.ts'
import { entriesOf } from './disk.ts'
import type { Disk } from './disk.ts'
import { isDenied } from './edit.ts'
import { above, distinct, outermost } from './places.ts'
import { right } from './rights.ts'
import { allows, parseList } from './sddl.ts'
import { users } from './sid.ts'

export interface Toolchains {
  /** Directories to open for reading, none inside another. */
  readonly opened: readonly string[]
  /** PATH of the agent. */
  readonly path: readonly string[]
}

export interface ToolchainRules {
  /** Never opened by way of a directory above them: home, state, policy, workspace, git directories. */
  readonly kept: readonly string[]
  readonly workspace: string
}

/**
 * Names that hold credentials. A toolchain's directory that is one of these, lies in one or contains one is not opened as a whole. Compared
 * with single names, without regard to case.
 */
export const credentialNames: ReadonlySet<string> = new Set([
  '.aws',
  '.azure',
  '.config',
  '.credentials',
  '.docker',
  '.env',
  '.gem',
  '.git-credentials',
  '.gitconfig',
  '.gnupg',
  '.kube',
  '.m2',
  '.netrc',
  '.npmrc',
  '.pgpass',
  '.pypirc',
  '.ssh',
  '.terraform.d',
  '.vault-token',
  '.yarnrc.yml',
  '_netrc',
  'credentials',
  'credentials.json',
  'credentials.toml',
  'id_ed25519',
  'id_rsa',
  'pip.ini',
])

/** A directory of programs below a prefix that holds the rest of the toolchain (`<prefix>\bin`). */
const programDirectories: ReadonlySet<string> = new Set(['bin', 'scripts', 'shims', 'cmd'])

/**
 * Decides which directories of programs the agent gets to: those on `path` (a PATH) and `executable`'s own. What every user may read needs
 * nothing. Of the rest, the prefix of a directory of programs is opened, or that directory alone where the prefix holds anything else than a
 * toolchain; and nothing at all of one that is a home directory or holds credentials.
 */
export function chooseToolchains(disk: Disk, path: string, executable: string, rules: ToolchainRules): Toolchains {
  const chosen = [...path.split(';'), dirname(executable)].flatMap((text): readonly { at: string; opened: string | null }[] => {
    const at = realDirectory(disk, text)
    if (at === undefined) return []
    if (isInside(at, rules.workspace) || readableByAll(disk, at)) return [{ at, opened: null }]
    const opened = openedFor(disk, at, rules)
    return opened === undefined ? [] : [{ at, opened }]
  })
  return { opened: outermost(chosen.flatMap(({ opened }) => opened ?? [])), path: distinct(chosen.map(({ at }) => at)) }
}

/** Where the name on PATH leads, through links: version managers switch by one. Undefined when that is no directory. */
function realDirectory(disk: Disk, text: string): string | undefined {
  const canonical = canonicalPath(text.replaceAll('"', ''))
  if ('fault' in canonical) return undefined
  const real = disk.realPath(canonical.path)
  const answer = real === undefined ? undefined : canonicalPath(real)
  if (answer === undefined || 'fault' in answer) return undefined
  const found = readable(disk, answer.path)
  return found?.directory === true && !found.link ? answer.path : undefined
}

function openedFor(disk: Disk, directory: string, rules: ToolchainRules): string | undefined {
  if (holdsSecrets(disk, directory, rules)) return undefined
  if (!programDirectories.has(basename(directory).toLowerCase())) return directory
  const prefix = dirname(directory)
  return holdsSecrets(disk, prefix, rules) ? directory : prefix
}

function holdsSecrets(disk: Disk, directory: string, { kept }: ToolchainRules): boolean {
  const names = [...directory.split('\\'), ...entriesOf(disk, directory).map(({ name }) => name)]
  return (
    above(directory).length < 2 ||
    kept.some((one) => isInside(one, directory)) ||
    names.some((name) => credentialNames.has(name.toLowerCase()))
  )
}

/** What may be looked at; undefined for what is not there, or is closed even to the user. */
export function readable(disk: Disk, path: string): SecuredObject | undefined {
  try {
    return disk.security.read(path, 'access')
  } catch (error) {
    if (isDenied(error)) return undefined
    throw error
  }
}

/** What everybody on this machine may read, the agent may read. */
export function readableByAll(disk: Disk, path: string): boolean {
  const list = parseList(readable(disk, path)?.sddl ?? '')
  return list !== undefined && allows(list, users, right.read)
}
