import { closeSync, existsSync, fsyncSync, lstatSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import { BulkheadError } from '../core/contracts/error.ts'
import type { ProcessIdentity } from '../core/contracts/sandbox.ts'
import { copyIndex } from './copy-index.ts'
import { fromGit, move as moveFile } from './filesystem.ts'
import type { Git, Place } from './git.ts'
import type { Layout } from './layout.ts'
import { compareTrees } from './raw-diff.ts'
import { readGitFile, type Repository } from './repository.ts'
import { visibleLine } from './visible.ts'

const lockWaitMs = 1500

/** A checkout of the user whose HEAD names the target branch. */
export interface Checkout {
  readonly workTree: string
  /** Its own git directory: the common one for the main checkout, `worktrees/<id>` for a linked worktree. */
  readonly gitDirectory: string
}

/** Written before the target moves, so that a crash before the checkout followed can be made good. */
export interface CheckoutMarker extends Checkout {
  readonly process: ProcessIdentity
  readonly target: string
  readonly from: string
  readonly to: string
}

/** A checkout whose index is locked and proved clean; it can follow the branch. */
export interface HeldCheckout {
  /** Call right after the branch moved. False: files could not be written; the marker stays and `recover` tries again. */
  advance(): Promise<boolean>
  release(): void
}

/** Markers of moves that this very process is making. */
export const movesInProgress = new Set<string>()

/** Checkouts of `target` among the main checkout and the user's linked worktrees. */
export function checkoutsOf(repository: Repository, target: string): readonly Checkout[] {
  const names = (gitDirectory: string): boolean => readGitFile(gitDirectory, 'HEAD')?.trim() === `ref: ${target}`
  const main = !repository.bare && names(repository.gitDirectory)
  const admins = join(repository.gitDirectory, 'worktrees')
  const linked = (existsSync(admins) ? readdirSync(admins) : [])
    .map((name) => join(admins, name))
    .filter(names)
    .map((gitDirectory) => ({ gitDirectory, workTree: fromGit((readGitFile(gitDirectory, 'gitdir') ?? '').replace(/\/\.git\n?$/, '')) }))
    .filter(({ workTree }) => existsSync(workTree))
  return [...(main ? [{ gitDirectory: repository.gitDirectory, workTree: repository.root }] : []), ...linked]
}

/** Throws `merge_checkout_dirty` while a rebase of `target` is under way anywhere: it would end by moving the branch back. */
export function refuseDuringRebase(repository: Repository, target: string): void {
  const admins = join(repository.gitDirectory, 'worktrees')
  const linked = existsSync(admins) ? readdirSync(admins).map((name) => join(admins, name)) : []
  for (const gitDirectory of [repository.gitDirectory, ...linked]) {
    for (const state of ['rebase-merge', 'rebase-apply']) {
      if (readGitFile(gitDirectory, `${state}/head-name`)?.trim() !== target) continue
      throw dirty({ gitDirectory, workTree: gitDirectory }, `${target} is being rebased`)
    }
  }
}

/**
 * Locks the checkout's index as git itself would (so no commit of the user can come between) and proves on a private copy that going from
 * `from` to `to` is a clean fast-forward: nothing staged, no touched file changed, no untracked file in the way. Throws
 * `merge_checkout_dirty`; nothing was changed then.
 */
export async function holdCheckout(
  git: Git,
  repository: Repository,
  layout: Layout,
  move: { checkout: Checkout; target: string; from: string; to: string },
): Promise<HeldCheckout> {
  const { checkout, from, to } = move
  const unfinished = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD'].find((name) => existsSync(join(checkout.gitDirectory, name)))
  if (unfinished !== undefined) throw dirty(checkout, `an operation is unfinished there (${unfinished})`)
  const index = join(checkout.gitDirectory, 'index')
  const lock = `${index}.lock`
  const id = randomBytes(8).toString('hex')
  const marker = join(layout.checkouts, `${id}.json`)
  const copy = join(layout.checkouts, `${id}.index`)
  const descriptor = await takeLock(lock, checkout)
  const release = (): void => {
    movesInProgress.delete(marker)
    rmSync(lock, { force: true })
    rmSync(marker, { force: true })
    rmSync(copy, { force: true })
    rmSync(`${copy}.lock`, { force: true })
  }
  const place = await checkoutPlace(git, repository, checkout, copy)
  try {
    if (existsSync(index)) copyIndex(index, copy)
    await proveClean(git, place, checkout, { from, to })
    const note: CheckoutMarker = { ...checkout, process: repository.processes.self, target: move.target, from, to }
    movesInProgress.add(marker)
    writeDurably(marker, JSON.stringify(note))
  } catch (error) {
    closeSync(descriptor)
    release()
    throw error
  }
  return {
    async advance() {
      try {
        await git.run(place, ['read-tree', '-m', '-u', from, to])
        writeFileSync(descriptor, readFileSync(copy))
        fsyncSync(descriptor)
        closeSync(descriptor)
        moveFile(lock, index)
      } catch {
        // The branch has moved and stays so. The marker lets `recover` bring the files after it.
        rmSync(lock, { force: true })
        return false
      } finally {
        movesInProgress.delete(marker)
      }
      rmSync(marker, { force: true })
      rmSync(copy, { force: true })
      return true
    },
    release() {
      closeSync(descriptor)
      release()
    },
  }
}

/**
 * The user's own configuration applies to their checkout (line ends, which Git for Windows sets for the whole machine; sparse patterns),
 * but not their filters: which of them runs would be the choice of the landed `.gitattributes`. Files that a filter would have changed (LFS)
 * stay as they are stored.
 */
export async function checkoutPlace(git: Git, repository: Repository, checkout: Checkout, index: string): Promise<Place> {
  const place = { gitDirectory: checkout.gitDirectory, workTree: checkout.workTree, index }
  // Asked of this very checkout: a linked worktree can have configuration of its own (`extensions.worktreeConfig`).
  const filters = await git.fields(place, ['config', '-z', '--name-only', '--get-regexp', '^filter\\.'], { exits: [0, 1] })
  const config: Record<string, string> = { ...(await git.userConfig(place, repository.variables, '^core\\.(autocrlf|eol|safecrlf)$')) }
  for (const key of filters) {
    const driver = key.slice(0, key.lastIndexOf('.'))
    Object.assign(config, { [`${driver}.clean`]: '', [`${driver}.smudge`]: '', [`${driver}.process`]: '', [`${driver}.required`]: 'false' })
  }
  return { ...place, config }
}

/** Waits for git commands of the user, which take moments; then `merge_checkout_dirty`. */
async function takeLock(lock: string, checkout: Checkout): Promise<number> {
  for (let waited = 0; ; waited += 50) {
    try {
      return openSync(lock, 'wx', 0o644)
    } catch (error) {
      if (waited >= lockWaitMs) throw dirty(checkout, 'another git command is working in it', { cause: error })
      await sleep(50)
    }
  }
}

async function proveClean(git: Git, place: Place, checkout: Checkout, move: { from: string; to: string }): Promise<void> {
  await git.run(place, ['update-index', '-q', '--refresh', '--ignore-submodules'], { exits: [0, 1] })
  const staged = await git.run(place, ['diff-index', '--cached', '--quiet', '--ignore-submodules=all', move.from, '--'], { exits: [0, 1] })
  if (staged.exitCode !== 0) throw dirty(checkout, 'changes are staged in it')
  for (const { path, status } of await compareTrees(git, place, move.from, move.to, { renames: false })) {
    if (status !== 'A') continue
    const blocker = inTheWay(checkout.workTree, path)
    if (blocker !== undefined) throw dirty(checkout, `${visibleLine(blocker)} is not tracked and would be overwritten`)
  }
  // A dry run: git refuses when a file that would change has local changes.
  const rehearsal = await git.run(place, ['read-tree', '-m', '-u', '-n', move.from, move.to], { exits: [0, 1, 128] })
  if (rehearsal.exitCode !== 0) {
    throw dirty(
      checkout,
      visibleLine(
        rehearsal.stderr
          .trim()
          .split('\n')
          .at(-1)
          ?.replace(/^(?:error|fatal): /, '') ?? 'it has local changes',
      ),
    )
  }
}

/** The first part of `path` that exists and is not a directory, without following links. */
function inTheWay(root: string, path: string): string | undefined {
  const parts = path.split('/')
  for (let count = 1; count <= parts.length; count++) {
    const prefix = parts.slice(0, count).join('/')
    const stat = lstatSync(join(root, prefix), { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (count === parts.length || !stat.isDirectory()) return prefix
  }
  return undefined
}

function dirty(checkout: Checkout, why: string, details: { cause?: unknown } = {}): BulkheadError {
  return new BulkheadError('merge_checkout_dirty', `the checkout ${visibleLine(checkout.workTree)} cannot follow: ${why}`, {
    ...details,
    where: checkout.workTree,
    remedy: 'Commit, stash or move your changes there (or switch it to another branch), then merge again.',
  })
}

function writeDurably(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600)
  writeFileSync(descriptor, content)
  fsyncSync(descriptor)
  closeSync(descriptor)
}
