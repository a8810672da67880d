import type { Landed, LandRequest, MergeQueue } from '../core/contracts/workspace.ts'
import { BulkheadError } from '../core/contracts/error.ts'
import { checkoutsOf, holdCheckout, refuseDuringRebase, type HeldCheckout } from './checkout.ts'
import type { Git, Place } from './git.ts'
import { jobRef } from './intake.ts'
import { layoutOf, type Layout } from './layout.ts'
import { authorOf, identityConfig, jobTrailer, messageText } from './message.ts'
import { checkBranch, checkHash, checkName } from './names.ts'
import { privatePlace } from './private-repository.ts'
import type { Repository } from './repository.ts'
import { visibleLine } from './visible.ts'

const attempts = 5

export const candidateRef = (name: string): string => `refs/bulkhead/candidates/${name}`

/** Lands approved commits on a branch of the user's repository. */
export class GitMergeQueue implements MergeQueue {
  private readonly layout: Layout
  /** Merging happens in a private repository, so no driver or attribute of anybody applies; new objects go to the user's store. */
  private readonly bench: Place

  constructor(
    private readonly git: Git,
    private readonly repository: Repository,
  ) {
    this.layout = layoutOf(repository.state)
    this.bench = privatePlace(this.layout.bench, repository, { objects: `${repository.gitDirectory}/objects` })
  }

  async land(request: LandRequest): Promise<Landed> {
    const { name, commit, base, target } = request
    checkName(name)
    checkBranch(target)
    checkHash(commit)
    checkHash(base)
    const tree = await this.hash(`${commit}^{tree}`)
    if (tree !== request.tree) {
      throw new BulkheadError('review_stale', `the approved tree of '${name}' is not that of the commit to land`, {
        job: name,
        remedy: 'Look at the change again and approve it.',
      })
    }
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const from = await this.tip(target)
      const earlier = await this.landedBefore(request, from)
      if (earlier !== undefined) return { commit: earlier, from, checkout: await this.checkoutState(target), already: true }
      const candidate = await this.candidate(request, from)
      if (candidate === undefined) return { commit: from, from, checkout: await this.checkoutState(target), already: true }
      await this.update(candidateRef(name), candidate.commit)
      try {
        await request.check({ ...candidate, onto: from })
        const checkout = await this.move(target, from, candidate.commit, request)
        if (checkout !== undefined) return { commit: candidate.commit, from, checkout, already: false }
      } finally {
        await this.git.run(this.repository.place, ['update-ref', '-d', candidateRef(name)], { retryLocks: true })
      }
    }
    throw new BulkheadError('merge_target_moved', `${target} moved during each of ${attempts} tries to land '${name}'`, {
      job: name,
      remedy: 'Merge again when the branch is quieter.',
    })
  }

  /** Undefined when the target moved meanwhile. */
  private async move(target: string, from: string, to: string, request: LandRequest): Promise<Landed['checkout'] | undefined> {
    refuseDuringRebase(this.repository, target)
    const held: HeldCheckout[] = []
    let moved = false
    try {
      for (const checkout of checkoutsOf(this.repository, target)) {
        held.push(await holdCheckout(this.git, this.repository, this.layout, { checkout, target, from, to }))
      }
      moved = await this.compareAndSwap(target, from, to, `bulkhead: land ${request.name}`)
      if (!moved) return undefined
      const followed = await Promise.all(held.map((checkout) => checkout.advance()))
      if (followed.length === 0) return 'none'
      return followed.every(Boolean) ? 'advanced' : 'behind'
    } catch (error) {
      // While one of several checkouts was examined the branch may have moved under it: that is no local change of the user's.
      if (!moved && (await this.tip(target)) !== from) return undefined
      throw error
    } finally {
      if (!moved) for (const checkout of held) checkout.release()
    }
  }

  private async compareAndSwap(ref: string, from: string, to: string, reason: string): Promise<boolean> {
    try {
      await this.git.run(this.repository.place, ['update-ref', '-m', reason, '--no-deref', ref, to, from], { retryLocks: true })
      return true
    } catch (error) {
      if ((await this.tip(ref)) !== from) return false
      throw error
    }
  }

  /** The squashed change on the present target; undefined when the target has it already. */
  private async candidate(request: LandRequest, onto: string): Promise<{ commit: string; tree: string } | undefined> {
    const merge = await this.git.run(
      this.bench,
      ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', onto, request.commit],
      {
        exits: [0, 1],
      },
    )
    const [tree = '', ...paths] = merge.stdout
      .toString('utf8')
      .split('\0')
      .filter((field) => field !== '')
    if (merge.exitCode === 1) {
      throw new BulkheadError('merge_conflict', `'${request.name}' and ${request.target} changed the same lines: ${list(paths)}`, {
        job: request.name,
        where: paths.join('\n'),
        operation: 'git merge-tree',
        remedy: `Let the job run again on the present target, or merge ${jobRef(request.name)} by hand.`,
      })
    }
    if (tree === (await this.hash(`${onto}^{tree}`))) return undefined
    const message = { ...request.message, trailers: { ...request.message.trailers, [jobTrailer]: request.job } }
    const place = { ...this.bench, config: identityConfig(authorOf(message, request.name)) }
    const input = messageText(message, `Land ${request.name}`)
    const { stdout } = await this.git.run(place, ['commit-tree', tree, '-p', onto], { input })
    return { commit: stdout.toString('latin1').trim(), tree }
  }

  /** The commit on the target since `base` that says it landed this job. */
  private async landedBefore(request: LandRequest, tip: string): Promise<string | undefined> {
    const line = `${jobTrailer}: ${request.job}`
    // git finds candidates by text; whether it really is a trailer is decided on the parsed ones.
    const format = `--format=%H %(trailers:key=${jobTrailer},valueonly,separator=%x20)`
    const found = await this.git.text(this.bench, ['log', format, '--fixed-strings', `--grep=${line}`, tip, `^${request.base}`, '--'])
    return found
      .split('\n')
      .map((entry) => entry.split(' '))
      .find(([, ...values]) => values.includes(request.job))?.[0]
  }

  /** After an earlier run landed: whether the user's checkout followed. */
  private async checkoutState(target: string): Promise<Landed['checkout']> {
    const tip = await this.tip(target)
    const checkouts = checkoutsOf(this.repository, target)
    if (checkouts.length === 0) return 'none'
    for (const { gitDirectory, workTree } of checkouts) {
      const args = ['diff-index', '--cached', '--quiet', '--ignore-submodules=all', tip, '--']
      const { exitCode } = await this.git.run({ gitDirectory, workTree }, args, { exits: [0, 1] })
      if (exitCode !== 0) return 'behind'
    }
    return 'advanced'
  }

  private async tip(ref: string): Promise<string> {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]
    const { stdout, exitCode } = await this.git.run(this.repository.place, args, { exits: [0, 1, 128] })
    if (exitCode === 0) return stdout.toString('latin1').trim()
    throw new BulkheadError('usage_invalid', `the target ${visibleLine(ref)} does not exist`, {
      remedy: 'Create the branch, or name another target.',
    })
  }

  private async hash(revision: string): Promise<string> {
    return (await this.git.text(this.bench, ['rev-parse', '--verify', revision])).trim()
  }

  private async update(ref: string, commit: string): Promise<void> {
    await this.git.run(this.repository.place, ['update-ref', '--no-deref', ref, commit], { retryLocks: true })
  }
}

function list(paths: readonly string[]): string {
  const shown = paths.slice(0, 10).map((path) => visibleLine(path, 120))
  return shown.join(', ') + (paths.length > shown.length ? ` and ${paths.length - shown.length} more` : '')
}
