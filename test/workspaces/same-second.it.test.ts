import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createMergeQueue } from '../../workspaces/index.ts'
import { agentGit, commitAll, landRequest, message, startFlow, testRepository } from '../support/git-repository.ts'

// git compares whole seconds. What is changed in the second in which it was checked out, in place and to the same size, looks unchanged to
// everybody who does not know that the index is from that second too.

const second = (path: string): number => Math.floor(statSync(path).mtimeMs / 1000)
const untilNextSecond = (): Promise<void> => delay(1000 - (Date.now() % 1000) + 20)

/** Does it again until both happen within one second. */
async function withinOneSecond<T>(file: (made: T) => string, make: () => Promise<T>, change: (made: T) => void): Promise<T> {
  for (;;) {
    await untilNextSecond()
    const made = await make()
    const before = second(file(made))
    change(made)
    if (second(file(made)) === before) return made
  }
}

test('an agent’s change in the second of the checkout, to the same size, is taken in', async () => {
  using repository = testRepository()
  let round = 0
  const { workspaces, workspace } = await withinOneSecond(
    (flow) => join(flow.workspace.path, 'src/a.txt'),
    () => startFlow(repository, `job-${round++}`),
    (flow) => writeFileSync(join(flow.workspace.path, 'src/a.txt'), 'b\n'),
  )
  await untilNextSecond()
  expect(agentGit(workspace, ['status', '--porcelain'])).toBe(' M src/a.txt\n')
  expect(await workspaces.differs(workspace)).toBe(true)
  expect(await workspaces.intake(workspace, message())).toMatchObject({ counts: { files: 1 } })
})

test('the user’s change in the second of a commit, to the same size, is never overwritten', async () => {
  using repository = testRepository()
  const { workspaces, workspace } = await startFlow(repository)
  writeFileSync(join(workspace.path, 'src/a.txt'), 'agent\n')
  const snapshot = await workspaces.intake(workspace, message())
  if (snapshot === null) throw new Error('nothing was taken in')
  const file = join(repository.root, 'src/a.txt')
  await withinOneSecond(
    () => file,
    async () => {
      writeFileSync(file, 'a\n')
      commitAll(repository.root, 'again')
    },
    () => writeFileSync(file, 'u\n'),
  )
  await untilNextSecond()
  await expect(createMergeQueue(workspaces).land(landRequest(repository, snapshot))).rejects.toMatchObject({ code: 'merge_checkout_dirty' })
  expect(readFileSync(file, 'utf8')).toBe('u\n')
})
