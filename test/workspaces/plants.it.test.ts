import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Snapshot } from '../../core/contracts/workspace.ts'
import { naiveCopy, plants, type PlantSite } from '../support/git-plants.ts'
import { landRequest, message, naiveGit, startFlow, testRepository, type TestRepository } from '../support/git-repository.ts'

function siteOf(repository: TestRepository, tree: string, git: string): PlantSite {
  const canary = join(repository.area, 'fired')
  const fire = join(repository.area, 'fire')
  writeFileSync(fire, `#!/bin/sh\n: > ${canary}\nexec cat\n`, { mode: 0o755 })
  return { tree, git, fire, canary, area: repository.area }
}

/** Everything of the user's repository that an agent must not be able to change. */
function fingerprint(root: string): unknown {
  const git = join(root, '.git')
  return {
    head: readFileSync(join(git, 'HEAD'), 'utf8'),
    config: readFileSync(join(git, 'config'), 'utf8'),
    index: readFileSync(join(git, 'index')).toString('base64'),
    hooks: existsSync(join(git, 'hooks')) ? readdirSync(join(git, 'hooks')).filter((name) => !name.endsWith('.sample')) : [],
    info: readdirSync(join(git, 'info')).map((name) => [name, readFileSync(join(git, 'info', name), 'utf8')]),
    refs: naiveGit(root, ['for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads', 'refs/tags', 'refs/remotes', 'refs/replace']),
    files: naiveGit(root, ['ls-files', '-s']),
  }
}

test.each(plants.map((plant) => [plant.id, plant] as const))('%s: fires on a naive host', (_, plant) => {
  using repository = testRepository()
  const tree = join(repository.area, 'naive')
  naiveCopy(repository.root, tree)
  const site = siteOf(repository, tree, join(tree, '.git'))
  plant.plant(site)
  rmSync(site.canary, { force: true })
  plant.naive(site)
  expect(existsSync(site.canary)).toBe(true)
})

test.each(plants.map((plant) => [plant.id, plant] as const))('%s: does nothing to this host', async (_, plant) => {
  using repository = testRepository()
  const { workspaces, queue, workspace } = await startFlow(repository)
  const site = siteOf(repository, workspace.path, workspace.gitDirectory ?? '')
  plant.plant(site)
  // Where no filesystem layer hides it, the agent can also put its git directory into the tree itself.
  const inside = join(workspace.path, '.git')
  if (existsSync(join(inside, '..')) && readdirIfDirectory(inside)?.length === 0) cpSync(site.git, inside, { recursive: true })
  rmSync(site.canary, { force: true })
  const before = fingerprint(repository.root)

  const counts: unknown[] = []
  const watcher = await workspaces.watch(workspace, (seen) => counts.push(seen))
  await expect.poll(() => counts.length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0)
  await watcher[Symbol.asyncDispose]()
  let snapshot: Snapshot | null = null
  let refusal: unknown = null
  try {
    snapshot = await workspaces.intake(workspace, message())
  } catch (error) {
    refusal = error
  }
  expect(existsSync(site.canary)).toBe(false)
  expect(fingerprint(repository.root)).toEqual(before)
  if (plant.intake === 'refused') {
    expect(refusal).toMatchObject({ code: 'intake_refused' })
    expect(naiveGit(repository.root, ['for-each-ref', 'refs/bulkhead'])).toBe('')
  } else {
    expect(refusal).toBeNull()
    expect(snapshot).not.toBeNull()
    if (snapshot === null) return
    await workspaces.review(snapshot.commit, repository.base)
    await workspaces.diff(snapshot.commit, repository.base, { color: true, stat: false })
    await workspaces.diff(snapshot.commit, repository.base, { color: false, stat: true })
    expect(existsSync(site.canary)).toBe(false)
    expect(fingerprint(repository.root)).toEqual(before)
    expect(await queue.land(landRequest(repository, snapshot))).toMatchObject({ checkout: 'advanced', already: false })
    expect(naiveGit(repository.root, ['rev-parse', 'HEAD^{tree}']).trim()).toBe(snapshot.tree)
  }
  await workspaces.recover()
  const kept = await workspaces.remove('job', { commit: snapshot?.commit ?? null, merged: snapshot !== null })
  // Refused content is not merged: it is put aside, never deleted.
  expect(kept === null).toBe(plant.intake === 'taken')
  if (kept !== null) expect(existsSync(kept)).toBe(true)
  expect(existsSync(site.canary)).toBe(false)
  if (existsSync(join(repository.area, 'precious'))) expect(readFileSync(join(repository.area, 'precious/keep.txt'), 'utf8')).toBe('keep')
  expect(existsSync(join(repository.area, 'stolen'))).toBe(false)
  expect(naiveGit(repository.root, ['fsck', '--strict', '--no-dangling'])).toBe('')
})

function readdirIfDirectory(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path)
  } catch {
    return undefined
  }
}
