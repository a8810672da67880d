import type { Identity, MountView, ViewEntry } from '../../core/contracts/index.ts'
import { inside } from './constants.ts'
import { byDepth, isSameOrInside } from './paths.ts'
import { syntheticFiles } from './synthetic.ts'
import type { SystemEntry, SystemFacts } from './system-facts.ts'

/** A directory or file of the host that the view shows besides the system. */
export interface Shown {
  readonly source: string
  readonly target: string
  readonly writable: boolean
  /** Owner on disk that must appear as the agent; null: as it is. */
  readonly owner: Identity | null
}

export interface ViewFacts {
  readonly identity: Identity
  readonly system: SystemFacts
  /** The host's own files for resolving names; null where a name server of the network layer answers. */
  readonly resolver: readonly SystemEntry[] | null
  readonly shell: string
  readonly sizes: TemporarySizes
  /** In any order; what is inside of another one lies on top of it. */
  readonly shown: readonly Shown[]
  readonly hidden: readonly string[]
  readonly landlock: boolean
}

export interface TemporarySizes {
  readonly temporary: number
  readonly home: number
  readonly shared: number
}

/**
 * One number for three tmpfs: they hold it together. Without a limit each gets what the kernel would give a tmpfs, half of the memory
 * (tmpfs(5)), since 0 would mean none at all.
 */
export function temporarySizes(limit: number | null, memoryBytes: number): TemporarySizes {
  const half = Math.floor(memoryBytes / 2)
  if (limit === null) return { temporary: half, home: half, shared: half }
  const shared = Math.floor(limit / 8)
  const home = Math.floor(limit / 2)
  return { temporary: limit - home - shared, home, shared }
}

/** The whole view, in the order in which it is built: system, private parts, what the policy shows, and last what it hides. */
export function buildView(facts: ViewFacts): MountView {
  const binds = facts.shown.toSorted(byDepth).map((one): ViewEntry => ({ kind: 'bind', optional: false, ...one }))
  const hides = facts.hidden.map((target): ViewEntry => ({ kind: 'hide', target }))
  return {
    mechanism: 'linux-view',
    entries: [...systemEntries(facts), ...privateEntries(facts), ...binds, ...hides],
    landlock: facts.landlock ? { read: ['/'], write: writable(facts) } : null,
  }
}

function systemEntries({ system, identity, shell, resolver }: ViewFacts): readonly ViewEntry[] {
  return [
    ...system.directories.map(asShown),
    { kind: 'directory', target: '/etc', mode: 0o755 },
    ...system.configuration.map(asShown),
    { kind: 'symlink', target: '/etc/mtab', to: '/proc/self/mounts' },
    ...syntheticFiles(identity, shell, resolver === null),
    ...(resolver ?? []).map(bind),
  ]
}

function privateEntries({ sizes, shown }: ViewFacts): readonly ViewEntry[] {
  const { temporary, home, shared } = sizes
  // A link has nothing inside: where something is shown below /var/tmp it is a plain directory.
  const linked = !shown.some(({ target }) => isSameOrInside(target, '/var/tmp'))
  return [
    { kind: 'proc', target: '/proc' },
    { kind: 'dev', target: '/dev', shmBytes: shared },
    { kind: 'directory', target: '/run', mode: 0o755 },
    { kind: 'directory', target: '/var', mode: 0o755 },
    { kind: 'tmpfs', target: inside.temporary, sizeBytes: temporary, mode: 0o1777 },
    ...(linked ? [{ kind: 'symlink', target: '/var/tmp', to: inside.temporary } as const] : []),
    { kind: 'tmpfs', target: inside.home, sizeBytes: home, mode: 0o700 },
    ...inside.homeDirectories.map((name): ViewEntry => ({ kind: 'directory', target: `${inside.home}/${name}`, mode: 0o700 })),
  ]
}

function asShown(entry: SystemEntry): ViewEntry {
  return entry.link === null ? bind(entry) : { kind: 'symlink', target: entry.path, to: entry.link }
}

/** Optional: the system may be changed (an upgrade) between looking at it and building the view. */
function bind({ path, source }: Pick<SystemEntry, 'path' | 'source'>): ViewEntry {
  return { kind: 'bind', source, target: path, writable: false, owner: null, optional: true }
}

function writable({ shown }: ViewFacts): readonly string[] {
  return ['/dev', inside.temporary, inside.home, ...shown.filter((one) => one.writable).map(({ target }) => target)]
}
