import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BulkheadError } from '../../../core/contracts/error.ts'
import type { EmptyWorkspace, Layer } from '../../../core/contracts/layer.ts'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
import { FakeLauncher } from '../../support/fake-launcher.ts'
import { fakeEnvironment, fakeLayers, FakeWorld } from '../../support/fake-layer.ts'
import type { FakeLayerOptions } from '../../support/fake-layer.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'
import { fakeHost } from '../../support/fake-request.ts'
import { naiveGit, testRepository } from '../../support/git-repository.ts'

const limitMs = 30

function pipelineWith(special: Partial<Record<Layer, FakeLayerOptions>>): EnforcementPipeline {
  const world = new FakeWorld()
  return new EnforcementPipeline({
    plugins: fakeLayers(world, special),
    host: fakeHost,
    launcher: new FakeLauncher(world.log),
    journal: new FakeReceipts(),
    orchestrator: () => 'orc_1',
    isAlive: () => true,
    hookLimits: {
      probe: limitMs,
      prepare: limitMs,
      apply: limitMs,
      attach: limitMs,
      verify: limitMs,
      dispose: limitMs,
      recover: limitMs,
      setup: limitMs,
    },
  })
}

const place: EmptyWorkspace = {
  directory: '/making/a',
  path: '/workspaces/a/tree',
  gitDirectory: '/workspaces/a/git',
  making: { path: '/making/a/tree', gitDirectory: '/making/a/git' },
}

describe('layers prepare a workspace', () => {
  test('in the order in which they are applied, with their options and the host; those without the hook are left alone', async () => {
    const calls: unknown[] = []
    const preparing = (layer: Layer): FakeLayerOptions => ({
      replace: { prepare: async (...seen) => void calls.push([layer, ...seen]) },
    })
    const pipeline = pipelineWith({ network: preparing('network'), filesystem: preparing('filesystem') })
    const environment = fakeEnvironment()
    const filesystem = { ...environment.layers.filesystem, options: { strict: false } }
    await pipeline.prepare({ ...environment, layers: { ...environment.layers, filesystem } }, place)
    expect(calls).toEqual([
      ['filesystem', place, { strict: false }, fakeHost],
      ['network', place, { strict: true }, fakeHost],
    ])
  })

  test.each<[string, FakeLayerOptions['replace'], object]>([
    ['one that throws', { prepare: boom }, { code: 'plugin_failed', message: 'plugin "token-fake", prepare: boom' }],
    [
      'one that hangs',
      { prepare: () => new Promise(() => undefined) },
      { code: 'plugin_failed', message: `plugin "token-fake", prepare: it did not come back within ${limitMs} ms` },
    ],
    [
      'an error of the machine',
      { prepare: () => Promise.reject(new BulkheadError('host_no_space', 'the disk is full')) },
      { code: 'host_no_space', message: 'plugin "token-fake", prepare: the disk is full' },
    ],
    [
      'one that cannot work here',
      { prepare: async () => undefined, probe: async () => ({ usable: false, reason: 'no such kernel', remedy: 'Get one.' }) },
      {
        code: 'layer_unusable',
        message: 'environment "fake": token (token-fake) cannot work here: no such kernel',
        details: { remedy: 'Get one.' },
      },
    ],
  ])('%s is refused in its name, and none is asked after it', async (_name, replace, error) => {
    let later = 0
    const network = { replace: { prepare: async () => void later++ } }
    await expect(pipelineWith({ token: { replace: replace ?? {} }, network }).prepare(fakeEnvironment(), place)).rejects.toMatchObject(
      error,
    )
    expect(later).toBe(0)
  })

  test('options that the plugin does not know any more are refused', async () => {
    const environment = fakeEnvironment()
    const token = { ...environment.layers.token, options: { strict: 'yes' } }
    const pipeline = pipelineWith({ token: { replace: { prepare: async () => undefined } } })
    await expect(pipeline.prepare({ ...environment, layers: { ...environment.layers, token } }, place)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('options of token plugin "token-fake"') as string,
    })
  })
})

describe('a workspace that is prepared', () => {
  test('is empty then, knows where it will be, and what is made in it goes where it was prepared', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const seen: { directory: EmptyWorkspace; held: string[] }[] = []
    const workspace = await workspaces.create({
      name: 'job',
      base: repository.base,
      include: false,
      prepare: async (directory) => {
        seen.push({ directory, held: readdirSync(directory.directory) })
        mkdirSync(join(directory.making.path, '.git'), { recursive: true })
        mkdirSync(directory.making.gitDirectory)
      },
    })
    const [first] = seen
    expect(seen).toHaveLength(1)
    expect(first?.held).toEqual([])
    expect(first?.directory).toMatchObject({ path: workspace.path, gitDirectory: workspace.gitDirectory })
    expect(first?.directory.making.path.startsWith(`${first.directory.directory}/`)).toBe(true)
    expect(readdirSync(workspace.path).toSorted()).toEqual(['.git', 'README.md', 'src'])
    expect(readdirSync(join(workspace.path, '.git'))).toEqual([])
  })

  test.each<[string, (directory: EmptyWorkspace) => Promise<void>, string]>([
    ['throws', boom, 'workspace_failed'],
    ['throws an error of its own', () => Promise.reject(new BulkheadError('plugin_failed', 'boom')), 'plugin_failed'],
    ['leaves a file', async ({ directory }) => writeFileSync(join(directory, 'x'), ''), 'workspace_failed'],
    ['leaves content in the tree', async ({ making }) => void mkdirSync(join(making.path, 'src'), { recursive: true }), 'workspace_failed'],
    ['leaves a link where the tree goes', async ({ making }) => symlinkSync('/', making.path), 'workspace_failed'],
    [
      'leaves content in the git directory',
      async ({ making }) => void mkdirSync(join(making.gitDirectory, 'hooks'), { recursive: true }),
      'workspace_failed',
    ],
  ])('is not made when what prepares it %s, and nothing is left', async (_name, prepare, code) => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const before = naiveGit(repository.root, ['worktree', 'list'])
    await expect(workspaces.create({ name: 'job', base: repository.base, include: false, prepare })).rejects.toMatchObject({ code })
    for (const kept of ['making', 'workspaces']) expect(readdirSync(join(workspaces.repository.state, kept))).toEqual([])
    expect(naiveGit(repository.root, ['worktree', 'list'])).toBe(before)
    expect(existsSync('/README.md')).toBe(false)
    expect((await workspaces.create({ name: 'job', base: repository.base, include: false })).name).toBe('job')
  })

  test('is undone when the layer that prepares it hangs', async () => {
    using repository = testRepository()
    const workspaces = await repository.open()
    const pipeline = pipelineWith({ filesystem: { replace: { prepare: () => new Promise(() => undefined) } } })
    const prepare = (directory: EmptyWorkspace): Promise<void> => pipeline.prepare(fakeEnvironment(), directory)
    await expect(workspaces.create({ name: 'job', base: repository.base, include: false, prepare })).rejects.toMatchObject({
      code: 'plugin_failed',
      details: { plugin: 'filesystem-fake', operation: 'prepare' },
    })
    for (const kept of ['making', 'workspaces']) expect(readdirSync(join(workspaces.repository.state, kept))).toEqual([])
  })
})

function boom(): never {
  throw new Error('boom')
}
