import type { Review, ReviewedFile, RiskFlag } from '../core/contracts/workspace.ts'
import type { Git, Place } from './git.ts'
import { checkHash } from './names.ts'
import { compareTrees, total, treeLines, type RawChange } from './raw-diff.ts'
import { pathFlags } from './risk.ts'
import { contentFlags } from './secrets.ts'

/** Content looked through for secrets. What is beyond it is flagged as not looked at. */
const scannedBytes = 32 * 1024 * 1024

/** What a change does, for the person who approves it. Works in a private repository: no attribute of the change applies to it. */
export async function reviewCommit(git: Git, place: Place, commit: string, base: string): Promise<Review> {
  checkHash(commit)
  checkHash(base)
  const tree = (await git.text(place, ['rev-parse', '--verify', `${commit}^{tree}`])).trim()
  const changes = await compareTrees(git, place, base, commit, { renames: true })
  const lines = await treeLines(git, place, base, commit, { renames: true })
  const files = changes.map((change): ReviewedFile => {
    const { insertions, deletions, binary } = lines.get(change.path) ?? { insertions: 0, deletions: 0, binary: false }
    return { path: change.path, change: kindOf(change), insertions, deletions, binary }
  })
  const binaries = files
    .filter(({ binary, change }) => binary && change !== 'deleted')
    .map(({ path }): RiskFlag => ({ kind: 'binary', path, detail: 'cannot be read as text' }))
  const flags = [...pathFlags(changes), ...binaries, ...(await scan(git, place, commit, base))]
  return { commit, tree, base, counts: total(lines), files, flags }
}

function kindOf({ status, oldHash, newHash }: RawChange): ReviewedFile['change'] {
  if (status === 'A' || status === 'C') return 'added'
  if (status === 'D') return 'deleted'
  if (status === 'R') return 'renamed'
  return oldHash === newHash ? 'mode' : 'modified'
}

async function scan(git: Git, place: Place, commit: string, base: string): Promise<readonly RiskFlag[]> {
  const changes = await compareTrees(git, place, base, commit, { renames: false })
  const present = changes.filter(({ status }) => status !== 'D')
  if (present.length === 0) return []
  const sizes = await git.run(place, ['cat-file', '--batch-check=%(objectsize)', '--buffer'], {
    input: present.map(({ newHash }) => `${newHash}\n`).join(''),
  })
  const bytes = sizes.stdout.toString('latin1').split('\n').map(Number)
  let sum = 0
  const skipped = present.filter((_, index) => (sum += bytes[index] ?? 0) > scannedBytes).map(({ path }) => path)
  const flags = skipped.map((path): RiskFlag => ({ kind: 'secret', path, detail: 'is too large to be looked through' }))
  const left = present.filter(({ path }) => !skipped.includes(path))
  const args = ['diff-tree', '-r', '-p', '-U0', '--text', '--no-renames', '--diff-filter=d', '--no-color', '--no-ext-diff', '--no-textconv']
  for (let start = 0; start < left.length; start += 500) {
    const part = left.slice(start, start + 500)
    const paths = part.map(({ path }) => path)
    const { stdout } = await git.run(place, [...args, base, commit, '--', ...paths], { maximumBytes: 8 * scannedBytes })
    // A file that became a link (or the reverse) is shown as two changes.
    const sections = part.flatMap(({ path, status }) => (status === 'T' ? [path, path] : [path]))
    flags.push(...contentFlags(stdout.toString('utf8'), sections))
  }
  return flags
}
