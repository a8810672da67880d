import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { checkName } from './names.ts'

/** Where everything of one repository lies in its state directory. */
export interface Layout {
  readonly state: string
  /** Finished workspaces, one directory each. */
  readonly workspaces: string
  /** Workspaces that are being made: `<name>+<pid>+<start time>+<random>`. */
  readonly making: string
  /** Private repository in which merging, reviewing and diffing happen, away from the user's configuration. */
  readonly bench: string
  /** Checkouts of the user that are being advanced. */
  readonly checkouts: string
  /** What is being deleted. */
  readonly trash: string
  /** Content of removed workspaces that could not be kept as a commit. Never deleted by Bulkhead. */
  readonly kept: string
  /** Always empty: the working directory of git. */
  readonly empty: string
}

export function layoutOf(state: string): Layout {
  const at = (name: string): string => join(state, name)
  return {
    state,
    workspaces: at('workspaces'),
    making: at('making'),
    bench: at('bench.git'),
    checkouts: at('checkouts'),
    trash: at('trash'),
    kept: at('kept'),
    empty: at('empty'),
  }
}

/** The parts of one workspace. */
export interface WorkspacePaths {
  readonly directory: string
  readonly tree: string
  readonly git: string
  /** Private repository that takes in what the agent wrote. Never shown to it. */
  readonly quarantine: string
  /** Written last; a directory without it is not a workspace. */
  readonly record: string
}

export function workspacePaths(directory: string): WorkspacePaths {
  const at = (name: string): string => join(directory, name)
  return { directory, tree: at('tree'), git: at('git'), quarantine: at('quarantine.git'), record: at('workspace.json') }
}

/** What the deleted workspace of that name is called below `trash/`. */
export function trashName(name: string): string {
  return `${checkName(name)}+${randomBytes(6).toString('hex')}`
}

export function nameOfTrash(entry: string): string {
  return entry.split('+')[0] ?? ''
}

export function workspaceAt(layout: Layout, name: string): WorkspacePaths {
  return workspacePaths(join(layout.workspaces, checkName(name)))
}
