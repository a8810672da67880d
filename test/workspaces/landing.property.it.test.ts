import { mkdirSync, renameSync, rmSync, chmodSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { BulkheadError } from '../../core/contracts/error.ts'
import { createMergeQueue } from '../../workspaces/index.ts'
import { commitAll, landRequest, message, naiveGit, testRepository, tryGit, writeFiles } from '../support/git-repository.ts'

const paths = ['a.txt', 'b.txt', 'dir/c.txt', 'dir/d.txt', 'dir/sub/e.txt', 'run.sh'] as const
const text = (seed: string): string => Array.from({ length: 8 }, (_, line) => `${seed} line ${line}\n`).join('')
const base = Object.fromEntries(paths.map((path) => [path, text(path)]))

const path = fc.constantFrom(...paths)
const edit = fc.oneof(
  fc.record({ kind: fc.constant('line' as const), path, line: fc.integer({ min: 0, max: 7 }), value: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constant('rename' as const), path, to: fc.constantFrom('moved.txt', 'other/moved.txt', 'dir/z.txt') }),
  fc.record({ kind: fc.constant('delete' as const), path }),
  fc.record({ kind: fc.constant('mode' as const), path }),
  fc.record({ kind: fc.constant('add' as const), path: fc.constantFrom('new1.txt', 'new/2.txt'), value: fc.constantFrom('x', 'y') }),
)
type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never

function apply(root: string, edits: readonly Edit[]): void {
  for (const change of edits) {
    const file = join(root, change.path)
    if (change.kind === 'add') writeFiles(root, { [change.path]: text(change.value) })
    else if (!existsSync(file)) continue
    else if (change.kind === 'line') {
      const lines = text(change.path).split('\n')
      lines[change.line] = change.value
      writeFiles(root, { [change.path]: lines.join('\n') })
    } else if (change.kind === 'delete') rmSync(file)
    else if (change.kind === 'mode') chmodSync(file, 0o755)
    else {
      mkdirSync(dirname(join(root, change.to)), { recursive: true })
      renameSync(file, join(root, change.to))
    }
  }
}

test('whatever two sides do, what lands is what was reviewed merged with the target, or nothing moves; no work is lost', async () => {
  using repository = testRepository(base)
  const workspaces = await repository.open()
  const queue = createMergeQueue(workspaces)
  let round = 0
  let landed = 0
  let conflicts = 0
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), fc.array(edit, { maxLength: 4 }), async (agent, user) => {
      const name = `job-${round++}`
      naiveGit(repository.root, ['reset', '-q', '--hard', repository.base])
      const workspace = await workspaces.create({ name, base: repository.base, include: false })
      apply(workspace.path, agent)
      const snapshot = await workspaces.intake(workspace, message())
      if (snapshot === null) {
        await workspaces.remove(name, { commit: null, merged: false })
        return
      }
      const review = await workspaces.review(snapshot.commit, repository.base)
      expect(review.tree).toBe(snapshot.tree)
      expect(review.counts).toEqual(snapshot.counts)
      apply(repository.root, user)
      const target = commitAll(repository.root, 'user')
      let merged = false
      try {
        const result = await queue.land(landRequest(repository, snapshot, name))
        merged = true
        landed += 1
        // An independent merge by git in an ordinary checkout of the same two commits.
        const check = join(repository.area, 'check')
        naiveGit(repository.root, ['worktree', 'add', '-q', '--detach', check, target])
        naiveGit(check, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'merge', '-q', '--no-ff', '--no-edit', snapshot.commit])
        expect(naiveGit(check, ['rev-parse', 'HEAD^{tree}'])).toBe(naiveGit(repository.root, ['rev-parse', `${result.commit}^{tree}`]))
        naiveGit(repository.root, ['worktree', 'remove', '--force', check])
        expect(naiveGit(repository.root, ['rev-parse', 'main']).trim()).toBe(result.commit)
        if (!result.already) expect(naiveGit(repository.root, ['rev-parse', `${result.commit}^`]).trim()).toBe(target)
      } catch (error) {
        if (BulkheadError.from(error).code !== 'merge_conflict') throw error
        conflicts += 1
        expect(naiveGit(repository.root, ['rev-parse', 'main']).trim()).toBe(target)
        expect(tryGit(repository.root, ['merge-tree', '--write-tree', target, snapshot.commit])).toBe(1)
      }
      expect(naiveGit(repository.root, ['status', '--porcelain'])).toBe('')
      const kept = await workspaces.remove(name, { commit: snapshot.commit, merged })
      expect(kept).toBe(merged ? null : `refs/bulkhead/backup/${name}`)
      if (kept !== null) expect(naiveGit(repository.root, ['rev-parse', `${kept}^{tree}`]).trim()).toBe(snapshot.tree)
    }),
    { numRuns: 25, endOnFailure: true },
  )
  expect(landed).toBeGreaterThan(0)
  expect(landed + conflicts).toBeGreaterThan(10)
  expect(naiveGit(repository.root, ['fsck', '--strict', '--no-dangling'])).toBe('')
})
