import type { ChangeCounts } from '../core/contracts/event.ts'
import type { Git, Place } from './git.ts'

/** One line of git's raw diff format (git-diff-tree(1), RAW OUTPUT FORMAT). Modes are octal text, `000000` where there is no file. */
export interface RawChange {
  readonly oldMode: string
  readonly newMode: string
  readonly oldHash: string
  readonly newHash: string
  /** A, D, M, T, R */
  readonly status: string
  readonly path: string
  /** Where it was before, for a rename. */
  readonly from: string | null
}

export interface LineCounts {
  readonly insertions: number
  readonly deletions: number
  readonly binary: boolean
}

/**
 * Compares two trees or commits. No attributes apply in a private repository, so `-diff` in an agent's `.gitattributes` hides nothing.
 */
export async function compareTrees(
  git: Git,
  place: Place,
  from: string,
  to: string,
  options: { renames: boolean },
): Promise<readonly RawChange[]> {
  const renames = options.renames ? ['-M', '-l2000'] : ['--no-renames']
  return parseRaw(await git.fields(place, ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', ...renames, '--end-of-options', from, to]))
}

export function parseRaw(fields: readonly string[]): readonly RawChange[] {
  const changes: RawChange[] = []
  const rest = fields.values()
  for (const header of rest) {
    const [oldMode = '', newMode = '', oldHash = '', newHash = '', letter = ''] = header.slice(1).split(' ')
    const status = letter.charAt(0)
    const first = take(rest)
    const renamed = status === 'R' || status === 'C'
    changes.push({ oldMode, newMode, oldHash, newHash, status, from: renamed ? first : null, path: renamed ? take(rest) : first })
  }
  return changes
}

/** Lines per path, by the new path. Files above 16 MiB count as binary so that no time goes into diffing them. */
export async function countLines(
  git: Git,
  place: Place,
  args: readonly string[],
  timeoutMs?: number,
): Promise<ReadonlyMap<string, LineCounts>> {
  const config = { ...place.config, 'core.bigFileThreshold': '16m' }
  const fields = await git.fields({ ...place, config }, args, timeoutMs === undefined ? {} : { timeoutMs })
  const counts = new Map<string, LineCounts>()
  const rest = fields.values()
  for (const field of rest) {
    const [insertions = '', deletions = '', path = ''] = split3(field)
    // A rename has an empty path, followed by the old and the new one.
    const name = path === '' ? (take(rest), take(rest)) : path
    const binary = insertions === '-'
    counts.set(name, { insertions: binary ? 0 : Number(insertions), deletions: binary ? 0 : Number(deletions), binary })
  }
  return counts
}

export function treeLines(
  git: Git,
  place: Place,
  from: string,
  to: string,
  options: { renames: boolean },
): Promise<ReadonlyMap<string, LineCounts>> {
  const renames = options.renames ? ['-M', '-l2000'] : ['--no-renames']
  return countLines(git, place, [
    'diff-tree', '-r', '-z', '--numstat', '--no-ext-diff', '--no-textconv', ...renames, '--end-of-options', from, to,
  ]) // prettier-ignore
}

export function total(counts: ReadonlyMap<string, LineCounts>): ChangeCounts {
  const all = [...counts.values()]
  const sum = (pick: (line: LineCounts) => number): number => all.reduce((before, line) => before + pick(line), 0)
  return { files: all.length, insertions: sum((line) => line.insertions), deletions: sum((line) => line.deletions) }
}

function split3(field: string): string[] {
  const first = field.indexOf('\t')
  const second = field.indexOf('\t', first + 1)
  return [field.slice(0, first), field.slice(first + 1, second), field.slice(second + 1)]
}

function take(fields: Iterator<string>): string {
  const next = fields.next()
  return next.done === true ? '' : next.value
}
