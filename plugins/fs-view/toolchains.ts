import { basename, dirname, join } from 'node:path'
import { credentialNames, managedToolchains, programDirectories, systemDirectories } from './constants.ts'
import { depth, isSameOrInside, isSameOrInsideAny } from './paths.ts'

/** One directory of the host's PATH (or that of the running Node.js), as it was found. */
export interface ProgramDirectory {
  /** As PATH says it. */
  readonly path: string
  /** Canonical; what is shown, and what PATH says inside. */
  readonly real: string
  /** Names in the directory above it; empty when that cannot be read. */
  readonly around: readonly string[]
}

export interface ToolchainFacts {
  /** In the order of PATH; what does not exist is left out. */
  readonly programs: readonly ProgramDirectory[]
  /** Data directories of version managers that exist, canonical: `/home/u/.rustup`. */
  readonly managed: readonly string[]
}

export interface Toolchains {
  /** Directories to show read-only, none inside another. */
  readonly shown: readonly string[]
  /** PATH of the agent. */
  readonly path: readonly string[]
  /** Variables that tell version managers where their data is. */
  readonly variables: Readonly<Record<string, string>>
}

export interface ToolchainRules {
  readonly home: string
  readonly workspace: string
  /** Directories that must not be shown by way of one above them: home, state, policy, workspace, git directories. */
  readonly kept: readonly string[]
}

/**
 * Decides which toolchains outside the system's directories the agent sees. Only ever the prefix of a directory of programs
 * (`~/.nvm/versions/node/v20` for its `bin`), or that directory alone where the prefix holds anything else than a toolchain.
 */
export function chooseToolchains({ programs, managed }: ToolchainFacts, rules: ToolchainRules): Toolchains {
  const chosen = programs.map((program) => ({ program, shown: shownFor(program, rules) }))
  const usable = chosen.filter(({ program, shown }) => shown !== undefined || isThereAnyway(program, rules))
  const prefixes = usable.flatMap(({ program, shown }) => (isThereAnyway(program, rules) ? [] : [shown ?? program.real]))
  const data = managedToolchains.flatMap(({ name, variable, neededBy }) => {
    const needed = (directory: string): boolean =>
      neededBy === null
        ? isSameOrInsideAny(directory, prefixes)
        : usable.some(({ program }) => program.real === join(dirname(directory), neededBy, 'bin'))
    const directory = managed.find((path) => basename(path) === name && needed(path))
    return directory === undefined ? [] : [{ variable, directory }]
  })
  return {
    shown: outermost([...prefixes, ...data.map(({ directory }) => directory)]),
    path: [...new Set(usable.map(({ program }) => (isThereAnyway(program, rules) ? program.path : program.real)))],
    variables: Object.fromEntries(data.map(({ variable, directory }) => [variable, directory])),
  }
}

/** Shown by the view for another reason. */
function isThereAnyway({ path, real }: ProgramDirectory, { workspace }: ToolchainRules): boolean {
  return (isSameOrInsideAny(path, systemDirectories) && isSameOrInsideAny(real, systemDirectories)) || isSameOrInside(path, workspace)
}

/** What to show for a directory of programs: its prefix, itself, or nothing. */
function shownFor({ real, around }: ProgramDirectory, rules: ToolchainRules): string | undefined {
  if (!programDirectories.has(basename(real)) || holdsSecrets(real, [], rules)) return undefined
  const prefix = dirname(real)
  return holdsSecrets(prefix, around, rules) ? real : prefix
}

function holdsSecrets(directory: string, names: readonly string[], { kept }: ToolchainRules): boolean {
  return (
    depth(directory) < 2 ||
    kept.some((one) => isSameOrInside(one, directory)) ||
    [...directory.split('/'), ...names].some((name) => credentialNames.has(name.toLowerCase()))
  )
}

function outermost(directories: readonly string[]): readonly string[] {
  const unique = [...new Set(directories)]
  return unique.filter((one) => !unique.some((other) => other !== one && isSameOrInside(one, other))).toSorted()
}
