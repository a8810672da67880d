import { describe, expect, test } from 'vitest'
import type { FilesystemPolicy } from '../../../core/contracts/index.ts'
import type { AclOptions } from '../../../plugins/fs-acl/options.ts'
import plugin from '../../../plugins/fs-acl/index.ts'
import { emptyPolicy, fakeHost } from '../../support/fake-request.ts'
import { host, job, planContext } from './stage.ts'

const planned = (
  filesystem: Partial<FilesystemPolicy> = {},
  options: Partial<AclOptions> = {},
  workspace = job,
  temporaryBytes: number | null = null,
) =>
  plugin.plan(
    { ...emptyPolicy, filesystem: { ...emptyPolicy.filesystem, ...filesystem }, limits: { ...emptyPolicy.limits, temporaryBytes } },
    plugin.options.parse(options),
    planContext(workspace),
  )
const checkout = { ...job, path: String.raw`C:\dev\app`, gitDirectory: null, objectStores: [] }

test('the whole plan of a job', () => {
  expect(planned({ read: [String.raw`C:\data`], write: [String.raw`C:\cache`], deny: ['*.pem', 'secrets'] }, {}, job, 1024)).toEqual({
    plugin: 'fs-acl',
    layer: 'filesystem',
    tier: 'partial',
    enforces: [
      ['host-files-unwritable', 'Files of the user that the policy does not name can be neither changed nor made.'],
      ['other-workspaces-closed', 'What belongs to another agent is closed to this one.'],
      ['system-unwritable', 'The system’s directories cannot be changed.'],
      ['workspace-usable', 'The workspace and the agent’s own directories can be used (checked so that a broken layer is noticed).'],
      ['policy-file-protected', 'A bulkhead.yaml in the workspace can be neither changed nor made.'],
      ['host-files-unreadable', 'Files that only the user may read cannot be read.'],
      ['shared-directories-unwritable', 'Where every user of the machine may make files, the agent may not.'],
      ['bookkeeping-closed', 'What Bulkhead keeps beside the tree is closed to it.'],
      ['git-metadata-closed', 'A .git in the tree can be neither changed nor made.'],
      ['denied-paths-closed', 'What the policy denies cannot be opened.'],
    ].map(([id, text]) => ({ id, text })),
    unsupported: [],
    steps: [
      `workspace ${job.path} and its git directory: open to its own SID by what they inherit since they were made`,
      'the same at low integrity, so that the agent can be kept out of everything else by its own',
      '.git in the tree: an empty directory that is closed; the agent’s own is named by GIT_DIR',
      'bulkhead.yaml in the workspace closed to changes; while it is absent an empty directory takes its name',
      'directories for the agent’s profile, temporary files and caches, deleted afterwards',
      'those are measured while it runs; it is stopped when they hold more than 1024 bytes',
      String.raw`read C:\Users\me\project\.git\objects (git objects)`,
      String.raw`read C:\data`,
      String.raw`change C:\cache`,
      'read toolchains on the PATH of Bulkhead, unless they have more than 50000 files',
      'on the way to all of these, directories let their attributes be seen',
      'close what exists of *.pem',
      'close what exists of secrets',
      'every access list is put back as it was',
      'not held: what every user of this machine may read, the agent may read',
    ],
    data: {
      read: [String.raw`C:\data`],
      write: [String.raw`C:\cache`],
      deny: ['*.pem', 'secrets'],
      temporaryBytes: 1024,
      options: { label: 'low', reads: 'confined', toolchains: true, hostGit: 'read-only', entries: 50_000 },
    },
  })
})

test('of a checkout: its own .git is closed, or stays open by name', () => {
  const ids = (options: Partial<AclOptions>): readonly string[] => planned({}, options, checkout).enforces.map(({ id }) => id)
  expect(ids({})).toContain('git-metadata-closed')
  expect(ids({})).not.toContain('bookkeeping-closed')
  expect(ids({ hostGit: 'writable' })).not.toContain('git-metadata-closed')
  expect(planned({}, {}, checkout).steps.slice(0, 3)).toEqual([
    String.raw`workspace C:\dev\app: opened to its own SID, entry by entry (50000 at most), and closed again`,
    'the same at low integrity, so that the agent can be kept out of everything else by its own',
    '.git of the workspace read-only; while it is absent an empty directory takes its name',
  ])
})

describe('what it cannot hold it says', () => {
  test.each<[string, Partial<FilesystemPolicy>, Partial<AclOptions>, readonly RegExp[]]>([
    ['nothing', { deny: ['.env', '*.pem', 'a/b', 'a\\b', './x', '**/secret/*', 'dir/'] }, {}, []],
    [
      'patterns of another language',
      { deny: ['[ab]', '!keep', 'a?', '{a,b}', '#x', 'a//b', '../x', ''] },
      {},
      Array.from({ length: 8 }, () => /only \* and \*\* are understood/),
    ],
    [
      'names that Windows takes for others',
      { deny: ['con', 'a.', 'a ', 'nul.txt', 'x:y'] },
      {},
      Array.from({ length: 5 }, () => /only \* and \*\*/),
    ],
    [
      'a wildcard in a directory that others write to',
      { write: [String.raw`C:\cache`], deny: [String.raw`C:\cache\**\*.key`] },
      {},
      [/names that appear in C:\\cache after the start/],
    ],
    ['not so in a directory that nobody gets to', { write: [String.raw`C:\cache`], deny: [String.raw`C:\other\*.key`] }, {}, []],
    ['not so in the workspace', { deny: [String.raw`${job.path}\*.key`] }, {}, []],
    [
      'hiding from an agent that reads as the user',
      { deny: ['.env'] },
      { reads: 'open' },
      [/cannot be hidden from an agent that reads as the user does/],
    ],
    ['shared directories at the user’s own integrity', {}, { label: 'none' }, [/that is not of low integrity may too/]],
  ])('%s', (_name, policy, options, unsupported) => {
    expect(planned(policy, options).unsupported).toEqual(unsupported.map((pattern) => expect.stringMatching(pattern) as unknown))
  })
})

describe('the probe', () => {
  test('says that it is for another system', async () => {
    expect(await plugin.probe(fakeHost)).toMatchObject({ usable: false, reason: 'access control lists are a feature of Windows' })
  })

  test('asks the native module', async () => {
    expect(await plugin.probe(host)).toMatchObject({ usable: true, tier: 'partial' })
    const no = { ...host, can: async () => ({ ok: false, level: 0, reason: 'GetVolumeInformation: win32 50' }) }
    expect(await plugin.probe(no)).toEqual({
      usable: false,
      reason: 'file-security: GetVolumeInformation: win32 50',
      remedy: 'Keep Bulkhead’s state on a local drive with NTFS.',
    })
  })

  test('elsewhere nothing is done but refused', async () => {
    const directory = {
      directory: 'C:\\a',
      path: 'C:\\b\\tree',
      gitDirectory: 'C:\\b\\git',
      making: { path: 'C:\\a\\tree', gitDirectory: 'C:\\a\\git' },
    }
    await expect(plugin.prepare?.(directory, plugin.options.parse({}), host)).rejects.toMatchObject({ code: 'host_unsupported' })
  })
})
