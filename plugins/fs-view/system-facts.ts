import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { systemConfiguration, systemDirectories } from './constants.ts'
import { isSameOrInsideAny } from './paths.ts'

/** Something of the system that the view shows at the same path: itself, or a link that reads the same. */
export interface SystemEntry {
  readonly path: string
  /** What a link says; null where the thing itself is shown. */
  readonly link: string | null
  /** Canonical path of the thing. */
  readonly source: string
}

export interface SystemFacts {
  readonly directories: readonly SystemEntry[]
  readonly configuration: readonly SystemEntry[]
}

let known: SystemFacts | undefined

/**
 * What this machine has of the system's directories and configuration. Looked at once in the life of the process: it costs some
 * hundred system calls, which a launch should not pay; what disappears meanwhile is skipped by the view.
 */
export function systemFacts(): SystemFacts {
  return (known ??= lookAtSystem('/'))
}

/** `root` other than `/` is for tests; the paths of the result are those without it. */
export function lookAtSystem(root: string): SystemFacts {
  const look = (path: string): readonly SystemEntry[] => entryAt(root, path)
  const configuration = systemConfiguration.flatMap((pattern) => namesFor(root, pattern)).flatMap((name) => look(`/etc/${name}`))
  return { directories: systemDirectories.flatMap(look), configuration }
}

/** The machine's own way of resolving names; often links into /run, which the view does not show. */
export function resolverFiles(): readonly SystemEntry[] {
  return ['/etc/hosts', '/etc/resolv.conf'].flatMap((path) => entryAt('/', path)).map((entry) => ({ ...entry, link: null }))
}

function namesFor(root: string, pattern: string): readonly string[] {
  if (!pattern.endsWith('*')) return [pattern]
  const prefix = pattern.slice(0, -1)
  const names = attempt(() => readdirSync(join(root, 'etc'))) ?? []
  return names.filter((name) => name.startsWith(prefix)).toSorted()
}

function entryAt(root: string, path: string): readonly SystemEntry[] {
  const real = attempt(() => realpathSync(join(root, path)))
  if (real === undefined) return []
  const source = root === '/' ? real : real.slice(root.length)
  // A link into what is shown anyway stays a link; any other stands for what it leads to.
  const link = isSameOrInsideAny(source, systemDirectories) ? attempt(() => readlinkSync(join(root, path))) : undefined
  return [{ path, link: link ?? null, source }]
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
