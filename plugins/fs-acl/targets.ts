import { dirname } from 'node:path/win32'
import { isInside } from '../../native/index.ts'
import type { Denied } from './deny-find.ts'
import { entriesOf } from './disk.ts'
import type { DirectoryEntry, Disk } from './disk.ts'
import type { Places } from './places.ts'
import type { PrivateDirectory } from './private.ts'
import { credentialNames, readable } from './toolchains.ts'
import type { Targets } from './verify.ts'
import type { OpenWorkspace } from './workspace.ts'

interface Gathered {
  readonly disk: Disk
  readonly places: Places
  readonly own: PrivateDirectory
  readonly open: OpenWorkspace
  readonly denied: readonly Denied[]
  /** What was opened outside the workspace. */
  readonly roots: readonly string[]
  readonly confined: boolean
  readonly claims: readonly string[]
}

/** Looks for what there is to attack. */
export function gatherTargets({ disk, places, own, open, denied, roots, confined, claims }: Gathered): Targets {
  const exists = (path: string): boolean => readable(disk, path) !== undefined
  const outer = dirname(open.path)
  const opened = [...roots, open.path, own.home]
  const windows = places.system[0] ?? ''
  return {
    claims,
    confined,
    own,
    userDirectories: [places.home, places.state, places.local].filter(
      (path) => exists(path) && !opened.some((root) => isInside(path, root)),
    ),
    homeEntries: closedEntries(disk, places.home, opened),
    workspace: open.path,
    gitDirectory: open.gitDirectory,
    bookkeeping: open.gitDirectory === null ? [] : ['workspace.json', 'quarantine.git'].map((name) => `${outer}\\${name}`).filter(exists),
    system: places.system.filter(exists),
    systemFiles: ['System32\\drivers\\etc\\hosts', 'System32\\ntdll.dll'].map((name) => `${windows}\\${name}`).filter(exists),
    shared: places.shared.filter(exists),
    policyFile: open.policyFile,
    git: open.git,
    denied,
  }
}

/** Things in the user’s profile that nothing opened, credentials first. */
function closedEntries(disk: Disk, home: string, opened: readonly string[]): readonly string[] {
  return entriesOf(disk, home)
    .filter(({ link }) => !link)
    .toSorted((left, right) => rank(left) - rank(right))
    .map(({ name }) => `${home}\\${name}`)
    .filter((path) => !opened.some((root) => isInside(path, root)))
    .slice(0, 8)
}

function rank({ name }: DirectoryEntry): number {
  return Number(!credentialNames.has(name.toLowerCase()))
}
