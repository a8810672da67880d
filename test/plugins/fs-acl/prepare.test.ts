import { describe, expect, test } from 'vitest'
import { workspaceSid } from '../../../plugins/fs-acl/sid.ts'
import type { FakeWindowsDisk } from '../../support/fake-windows-disk.ts'
import { host, job, machine, makeWorkspace, stage, state, user } from './stage.ts'

const sid = workspaceSid(job.path)
const making = String.raw`${state}\repo-1\making\fix`
const group = 'S-1-5-21-9-9-9-1042'

const workspace = {
  directory: making,
  path: job.path,
  gitDirectory: job.gitDirectory ?? '',
  making: { path: `${making}\\tree`, gitDirectory: `${making}\\git` },
}

function emptyWorkspace(disk = machine()): ReturnType<typeof stage> {
  disk.lay({ [making]: null })
  return stage(disk)
}

const hosts = `(A;OICI;0x1f01ff;;;${user})(A;OICI;0x1f01ff;;;SY)(A;OICI;0x1f01ff;;;BA)`
const granted = (...sids: string[]): string =>
  `D:P${hosts}${sids.map((one) => `(A;;0x1201bf;;;${one})`).join('')}${sids.map((one) => `(A;OICIIO;0x1301bf;;;${one})`).join('')}`
const low = 'S:(ML;OICI;NW;;;LW)'
const closed = `D:P${hosts}S:(ML;OICI;NW;;;ME)`

describe('a workspace is prepared while it is empty', () => {
  test('everything is closed but the tree and the git directory, and .git is closed from the beginning', async () => {
    const { disk, plugin } = emptyWorkspace()
    await plugin.prepare?.(workspace, plugin.options.parse({}), host)
    expect(disk.log).toEqual([
      `access ${making} D:P${hosts}(A;;0x1000a0;;;${sid})`,
      `make ${making}\\tree ${granted(sid)}${low}`,
      `make ${making}\\tree\\.git ${closed}`,
      `make ${making}\\git ${granted(sid)}${low}`,
    ])
  })

  test('the accounts of agents are granted too, where there are such; without a label when none is wanted', async () => {
    const { disk, plugin } = emptyWorkspace()
    disk.groups.set('BulkheadAgents', group)
    await plugin.prepare?.(workspace, plugin.options.parse({ label: 'none' }), host)
    expect(disk.log).toEqual([
      `access ${making} D:P${hosts}(A;;0x1000a0;;;${sid})(A;;0x1000a0;;;${group})`,
      `make ${making}\\tree ${granted(sid, group)}`,
      `make ${making}\\tree\\.git ${closed}`,
      `make ${making}\\git ${granted(sid, group)}`,
    ])
  })

  test('what is made in it inherits: the agent’s, and what is not', async () => {
    const { disk, plugin } = emptyWorkspace()
    await makeWorkspace({ disk, plugin })
    const outer = job.path.slice(0, -'\\tree'.length)
    const file = (path: string): string => disk.at(`${outer}\\${path}`).dacl
    expect(file('tree\\src\\a.ts')).toContain(`(A;ID;0x1301bf;;;${sid})`)
    expect(disk.at(`${outer}\\tree\\src\\a.ts`).label).toBe('S:(ML;ID;NW;;;LW)')
    expect(file('tree\\src')).toContain(`(A;OICIID;0x1301bf;;;${sid})`)
    expect(file('git\\HEAD')).toContain(`(A;ID;0x1301bf;;;${sid})`)
    for (const path of ['workspace.json', 'quarantine.git', 'quarantine.git\\HEAD', 'tree\\.git']) expect(file(path)).not.toContain(sid)
    // The rights that would let it take the protection away are nowhere.
    for (const path of ['tree', 'tree\\src', 'git']) {
      const masks = [...file(path).matchAll(new RegExp(`;(0x[0-9a-f]+);;;${sid}`, 'g'))].map(([, mask]) => Number(mask))
      for (const mask of masks) expect(mask & (0x40 | 0x40000 | 0x80000)).toBe(0)
    }
  })

  test('the SID is that of the finished workspace, whatever case and slashes it is named by', async () => {
    expect(sid).toMatch(/^S-1-5-21-\d+-\d+-\d+-\d+$/)
    expect(workspaceSid(job.path.toUpperCase())).toBe(sid)
    expect(workspaceSid(`${job.path}2`)).not.toBe(sid)
    const { disk, plugin } = emptyWorkspace()
    await plugin.prepare?.({ ...workspace, path: job.path.replaceAll('\\', '/').toUpperCase() }, plugin.options.parse({}), host)
    expect(disk.log[1]).toContain(sid)
  })
})

describe('a workspace is not prepared', () => {
  test.each<[string, (disk: FakeWindowsDisk) => void, object]>([
    [
      'when its directory is not there',
      (disk) => disk.at(String.raw`${state}\repo-1\making`).children?.clear(),
      { code: 'host_unsupported' },
    ],
    [
      'when a list cannot be set',
      (disk) => void (disk.at(making).locked = true),
      { code: 'native_failed', details: { nativeCode: 'EACCES' } },
    ],
    ['when something is there already', (disk) => disk.lay({ [`${making}\\tree`]: null }), { code: 'native_failed' }],
    ['on a path that leads through a link', (disk) => disk.link(String.raw`C:\link`, making), { code: 'host_unsupported' }],
  ])('%s', async (name, spoil, error) => {
    const { disk, plugin } = emptyWorkspace()
    spoil(disk)
    const directory = name.includes('link') ? String.raw`C:\link` : making
    await expect(plugin.prepare?.({ ...workspace, directory }, plugin.options.parse({}), host)).rejects.toMatchObject(error)
  })

  test.each([
    ['where lists are not kept', (list: string) => list.replace(/\(A;;0x1201bf[^)]*\)/, '')],
    ['where they are kept in another form', (list: string) => list.replaceAll('0x1301bf', '0x1301ff')],
    ['where protection is not kept', (list: string) => list.replace('D:P', 'D:AI')],
  ])('%s', async (_name, lossy) => {
    const disk = machine()
    const { plugin } = emptyWorkspace(disk)
    const { security } = disk
    const weak = {
      ...security,
      makeDirectory: (path: string, sddl: string) => security.makeDirectory(path, lossy(sddl)),
    }
    Object.defineProperty(disk, 'security', { value: weak })
    await expect(plugin.prepare?.(workspace, plugin.options.parse({}), host)).rejects.toMatchObject({
      code: 'host_unsupported',
      message: `${making}\\tree does not keep the access list that it was given`,
    })
  })
})
