import { inside, usualPath } from './constants.ts'
import type { Toolchains } from './toolchains.ts'

export interface EnvironmentFacts {
  readonly toolchains: Toolchains
  readonly shell: string
  /** The host's variables; only LANG and TERM are taken. */
  readonly host: Readonly<Record<string, string | undefined>>
}

type Environment = Readonly<Record<string, string>>

/**
 * What a program needs to find its way in the view. Whatever the environment says already stays, but PATH is completed: the view shows
 * toolchains that nobody would find otherwise.
 */
export function withSurroundings(environment: Environment, facts: EnvironmentFacts): Environment {
  const { toolchains, shell, host } = facts
  const passed = ['LANG', 'TERM'].flatMap((name) => (host[name] === undefined ? [] : [[name, host[name]] as const]))
  return {
    HOME: inside.home,
    USER: inside.user,
    LOGNAME: inside.user,
    SHELL: shell,
    TMPDIR: inside.temporary,
    ...Object.fromEntries(passed),
    ...toolchains.variables,
    ...environment,
    PATH: completePath(environment['PATH'], toolchains.path),
  }
}

function completePath(given: string | undefined, toolchains: readonly string[]): string {
  if (given === undefined || given === '') return [...new Set([...toolchains, ...usualPath])].join(':')
  const directories = given.split(':')
  return [...directories, ...toolchains.filter((directory) => !directories.includes(directory))].join(':')
}
