import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkoutPlace, checkoutsOf, holdCheckout, movesInProgress, type CheckoutMarker } from './checkout.ts'
import { deleteTree } from './delete-tree.ts'
import type { Git, Place } from './git.ts'
import { nameOfTrash, workspaceAt, workspacePaths, type Layout } from './layout.ts'
import { compareTrees } from './raw-diff.ts'
import type { Repository } from './repository.ts'
import { visibleLine } from './visible.ts'
import { removeAdmin } from './worktree-admin.ts'
import { readRecord, undoWorktree } from './worktree.ts'

/** Finishes or undoes what dead processes left and says what was done, one line each. Touches nothing of a process that is alive. */
export async function recoverState(git: Git, repository: Repository, layout: Layout): Promise<readonly string[]> {
  const done: string[] = []
  for (const entry of readdirSync(layout.making)) {
    const [name = '', pid = '', startTime = ''] = entry.split('+')
    if (repository.processes.isAlive({ pid: Number(pid), startTime })) continue
    undoWorktree(repository, join(layout.making, entry))
    done.push(`undid the half-made workspace '${name}'`)
  }
  for (const entry of readdirSync(layout.trash)) {
    try {
      unregister(repository, layout, entry)
      deleteTree(join(layout.trash, entry), repository.deleteTree)
    } catch (error) {
      // Rubbish that resists must not keep anybody from working.
      done.push(`could not delete ${join(layout.trash, entry)}: ${visibleLine(String(error))}`)
    }
  }
  for (const entry of readdirSync(layout.checkouts).filter((name) => name.endsWith('.json'))) {
    const line = await recoverCheckout(git, repository, layout, join(layout.checkouts, entry))
    if (line !== undefined) done.push(line)
  }
  return done
}

/** A process died between moving a workspace to the trash and removing its registration in the repository. */
function unregister(repository: Repository, layout: Layout, entry: string): void {
  const record = readRecord(workspacePaths(join(layout.trash, entry)))
  if (record === undefined) return
  const place = workspaceAt(layout, nameOfTrash(entry))
  // The name may have been taken again since.
  if (readRecord(place)?.admin !== record.admin) removeAdmin(repository, record.admin, place.tree)
}

/**
 * A process died between moving a branch and moving the checkout of it. The index lock it took is its own, as the marker proves. Then, by
 * what is there now: the branch did not move: nothing happened; the index is that of the new commit: done already; it is still that of
 * the old one: go forward. Anything else was done by the user since, and is left alone.
 */
async function recoverCheckout(git: Git, repository: Repository, layout: Layout, file: string): Promise<string | undefined> {
  const marker = JSON.parse(readFileSync(file, 'utf8')) as CheckoutMarker
  const own = marker.process.pid === process.pid
  if (movesInProgress.has(file) || (repository.processes.isAlive(marker.process) && !own)) return undefined
  const { gitDirectory, workTree, target, from, to } = marker
  const clear = (): undefined => {
    for (const leftover of [file, file.replace(/json$/, 'index'), file.replace(/json$/, 'index.lock')]) rmSync(leftover, { force: true })
  }
  if (!repository.processes.isAlive(marker.process)) rmSync(join(gitDirectory, 'index.lock'), { force: true })
  const checkout = checkoutsOf(repository, target).find((other) => other.gitDirectory === gitDirectory)
  const tip = await git.run(repository.place, ['rev-parse', '--verify', '--quiet', target], { exits: [0, 1] })
  if (checkout === undefined || tip.stdout.toString('latin1').trim() !== to || !existsSync(workTree)) return clear()
  const index = join(gitDirectory, 'index')
  const place = await checkoutPlace(git, repository, checkout, index)
  const same = async (commit: string): Promise<boolean> =>
    (await git.run(place, ['diff-index', '--cached', '--quiet', '--ignore-submodules=all', commit, '--'], { exits: [0, 1] })).exitCode === 0
  if ((await same(to)) || !(await same(from))) return clear()
  await settleFiles(git, place, { from, to, workTree })
  try {
    const held = await holdCheckout(git, repository, layout, { checkout, target, from, to })
    if (!(await held.advance())) return `the checkout ${workTree} is behind ${target}`
  } catch {
    return `the checkout ${workTree} is behind ${target} and has local changes`
  }
  clear()
  return `moved the checkout ${workTree} to ${to.slice(0, 12)}, which had landed`
}

/**
 * The dead process may have written some files already. Those that hold exactly what the new commit has go back to what the index says, so
 * that the move can be proved clean. Every other file is left alone: it is the user's.
 */
async function settleFiles(git: Git, place: Place, move: { from: string; to: string; workTree: string }): Promise<void> {
  const restore: string[] = []
  for (const change of await compareTrees(git, place, move.from, move.to, { renames: false })) {
    const path = join(move.workTree, change.path)
    if ((await stateOf(git, place, path, change.path)) !== (change.status === 'D' ? null : change.newHash)) continue
    if (change.status === 'A') rmSync(path)
    else restore.push(`${change.path}\0`)
  }
  if (restore.length > 0) await git.run(place, ['checkout-index', '-f', '-u', '-z', '--stdin'], { input: restore.join('') })
}

/** Hash of what git would store for the file or link; null when there is nothing. */
async function stateOf(git: Git, place: Place, path: string, name: string): Promise<string | null> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return null
  if (!stat.isFile() && !stat.isSymbolicLink()) return 'neither'
  const input = stat.isFile() ? readFileSync(path) : readlinkSync(path, { encoding: 'buffer' })
  const { stdout } = await git.run(place, ['hash-object', '--stdin', ...(stat.isFile() ? [`--path=${name}`] : ['--no-filters'])], { input })
  return stdout.toString('latin1').trim()
}
