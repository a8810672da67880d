import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ChangeCounts } from '../../core/contracts/event.ts'
import { agentGit, namedPipe, startFlow, testRepository, writeFiles } from '../support/git-repository.ts'

test('counts follow the files, whatever the agent commits, and nothing comes while nothing changes', async () => {
  using repository = testRepository({ '.gitignore': 'node_modules/\nout/\n', 'README.md': 'one\ntwo\nthree\n', 'src/a.txt': 'a\n' })
  const { workspaces, workspace } = await startFlow(repository)
  const seen: ChangeCounts[] = []
  await using watcher = await workspaces.watch(workspace, (counts) => seen.push(counts))
  const soon = async (counts: ChangeCounts): Promise<void> => {
    await expect.poll(() => seen.at(-1), { timeout: 8000, interval: 20 }).toEqual(counts)
  }
  await soon({ files: 0, insertions: 0, deletions: 0 })
  writeFiles(workspace.path, { 'README.md': 'one\n2\nthree\n' })
  await soon({ files: 1, insertions: 1, deletions: 1 })
  writeFiles(workspace.path, { 'new/deep/er/b.txt': 'x\ny\n' })
  await soon({ files: 2, insertions: 3, deletions: 1 })
  // In a directory that did not exist when watching began.
  writeFiles(workspace.path, { 'new/deep/er/b.txt': 'x\ny\nz' })
  await soon({ files: 2, insertions: 4, deletions: 1 })
  rmSync(join(workspace.path, 'src'), { recursive: true })
  await soon({ files: 3, insertions: 4, deletions: 2 })
  agentGit(workspace, ['add', '-A'])
  agentGit(workspace, ['commit', '-qm', 'x'])
  const count = seen.length
  writeFiles(workspace.path, { 'node_modules/x/y.js': 'x', 'out/z': 'z' })
  await sleep(700)
  expect(seen.length).toBe(count)
  namedPipe(join(workspace.path, 'pipe'))
  writeFiles(workspace.path, { link: { link: '/etc/passwd' }, 'bin.dat': Buffer.from([0, 1, 2, 10]) })
  await soon({ files: 5, insertions: 4, deletions: 2 })
  await watcher[Symbol.asyncDispose]()
  const last = seen.length
  writeFiles(workspace.path, { late: 'x' })
  await sleep(500)
  expect(seen.length).toBe(last)
})

test('a storm of changes costs a bounded number of counts', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  const seen: ChangeCounts[] = []
  await using _ = await workspaces.watch(workspace, (counts) => seen.push(counts))
  mkdirSync(join(workspace.path, 'many'))
  for (let round = 0; round < 20; round++) {
    for (let file = 0; file < 20; file++) writeFileSync(join(workspace.path, `many/${round}-${file}`), 'x\n')
    await sleep(20)
  }
  await expect.poll(() => seen.at(-1), { timeout: 8000 }).toEqual({ files: 400, insertions: 400, deletions: 0 })
  expect(seen.length).toBeLessThan(8)
})
