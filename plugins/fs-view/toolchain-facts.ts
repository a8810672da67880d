import { readdirSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { managedToolchains } from './constants.ts'
import type { ProgramDirectory, ToolchainFacts } from './toolchains.ts'

const known = new Map<string, ToolchainFacts>()

/** What PATH and the running Node.js lead to. Looked at once for each PATH in the life of the process. */
export function toolchainFacts(path: string, executable: string): ToolchainFacts {
  const key = `${path}\0${executable}`
  const facts = known.get(key) ?? lookAtToolchains([...path.split(':'), dirname(executable)])
  known.set(key, facts)
  return facts
}

export function lookAtToolchains(directories: readonly string[]): ToolchainFacts {
  const programs = [...new Set(directories)].filter(isAbsolute).flatMap(look)
  const above = [...new Set(programs.flatMap(({ real }) => aboveUpTo(real, 3)))]
  const managed = above.flatMap((directory) => managedToolchains.map(({ name }) => join(directory, name))).filter(exists)
  return { programs, managed }
}

function look(path: string): readonly ProgramDirectory[] {
  const real = attempt(() => realpathSync(path))
  if (real === undefined) return []
  return [{ path, real, around: attempt(() => readdirSync(dirname(real))) ?? [] }]
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
