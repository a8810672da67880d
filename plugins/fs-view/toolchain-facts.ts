import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { managedToolchains } from './constants.ts'
import type { ProgramDirectory, ToolchainFacts } from './toolchains.ts'

interface Known {
  readonly facts: ToolchainFacts
  /** State of every directory that was listed: credentials may appear in one while this process lives. */
  readonly listed: readonly { readonly directory: string; readonly changed: number }[]
}

const known = new Map<string, Known>()

/** What PATH and the running Node.js lead to. Looked at again when a directory that was looked into has changed. */
export function toolchainFacts(path: string, executable: string): ToolchainFacts {
  const key = `${path}\0${executable}`
  const before = known.get(key)
  if (before?.listed.every(({ directory, changed }) => changedAt(directory) === changed) === true) return before.facts
  const found = lookAtToolchains([...path.split(':'), dirname(executable)])
  known.set(key, found)
  return found.facts
}

export function lookAtToolchains(directories: readonly string[]): Known {
  const found = [...new Set(directories)].filter(isAbsolute).flatMap(look)
  const programs = found.map(({ program }) => program)
  const above = [...new Set(programs.flatMap(({ real }) => aboveUpTo(real, 3)))]
  const managed = above.flatMap((directory) => managedToolchains.map(({ name }) => join(directory, name))).filter(exists)
  return { facts: { programs, managed }, listed: found.map(({ listed }) => listed) }
}

function look(path: string): readonly { readonly program: ProgramDirectory; readonly listed: Known['listed'][number] }[] {
  const real = attempt(() => realpathSync.native(path))
  if (real === undefined) return []
  const directory = dirname(real)
  // Before listing, so that what changes in between is seen the next time.
  const listed = { directory, changed: changedAt(directory) }
  return [{ program: { path, real, around: attempt(() => readdirSync(directory)) ?? [] }, listed }]
}

/** Milliseconds; NaN, which equals nothing, when it cannot be told. */
function changedAt(directory: string): number {
  return attempt(() => statSync(directory).mtimeMs) ?? Number.NaN
}

function aboveUpTo(path: string, levels: number): readonly string[] {
  const parent = dirname(path)
  return levels === 0 || parent === path ? [] : [parent, ...aboveUpTo(parent, levels - 1)]
}

/** True for the directory itself; a link would have another canonical path, and is not shown. */
function exists(path: string): boolean {
  return attempt(() => realpathSync(path)) === path
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
