import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { windowsTests } from './places.ts'

interface Group {
  readonly title: string
  /** Fewer cases than this fail the run: cases that vanish must not pass as green. Raise it with every file you add. */
  readonly floor: number
  /** Settings of the double (`double/README.md`) that the files of this group run under, besides those of `run-file.ts`; null: no double. */
  readonly double: readonly string[] | null
}

/** A group's cases are the files under `cases/<name>/`. */
export const groups = {
  real: { title: 'real semantics', floor: 1007, double: null },
  recording: { title: 'recording doubles', floor: 96, double: ['enforce 0'] },
  kernel: { title: 'kernel double', floor: 438, double: [] },
  control: { title: 'negative controls', floor: 162, double: null },
  oracle: { title: 'oracle', floor: 162, double: null },
} as const satisfies Record<string, Group>

export type GroupName = keyof typeof groups
export const groupNames = Object.keys(groups) as GroupName[]

export interface CaseFile {
  readonly group: GroupName
  /** Below `cases/<group>/`, without `.ts`. */
  readonly name: string
}

/** Take longest, so they begin first: otherwise one prefix waits for the other at the end. Everything else as it comes. */
const slow = ['shared/merge-queue', 'workspaces', 'shared/worktree', 'shared/intake', 'e2e/', 'attacks-', 'crash']

/** Case files of `selected` groups (empty: all) whose name contains `part`. */
export function caseFiles(selected: readonly GroupName[], part: string): CaseFile[] {
  return groupNames
    .filter((group) => selected.length === 0 || selected.includes(group))
    .flatMap((group) => {
      const folder = join(windowsTests, 'cases', group)
      if (!existsSync(folder)) return []
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => ({ group, name: relative(folder, join(entry.parentPath, entry.name)).slice(0, -'.ts'.length) }))
        .filter(({ name }) => name.includes(part))
    })
    .toSorted((one, other) => rank(one) - rank(other))
}

function rank({ name }: CaseFile): number {
  const found = slow.findIndex((start) => name.startsWith(start))
  return found === -1 ? slow.length : found
}
