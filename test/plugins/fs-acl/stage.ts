import type {
  ApplyContext,
  AppliedLayer,
  Host,
  LayerPlugin,
  PlanContext,
  Policy,
  Receipt,
  WorkspaceView,
} from '../../../core/contracts/index.ts'
import { aclPlugin } from '../../../plugins/fs-acl/plugin.ts'
import type { AclOptions } from '../../../plugins/fs-acl/options.ts'
import { emptyPolicy } from '../../support/fake-request.ts'
import { FakeWindowsDisk } from '../../support/fake-windows-disk.ts'

export const user = 'S-1-5-21-1-2-3-1001'
export const home = String.raw`C:\Users\me`
export const state = String.raw`C:\Users\me\AppData\Local\bulkhead`
const outer = String.raw`C:\Users\me\AppData\Local\bulkhead\repo-1\workspaces\fix`

export const job: WorkspaceView = {
  path: `${outer}\\tree`,
  gitDirectory: `${outer}\\git`,
  objectStores: [String.raw`C:\Users\me\project\.git\objects`],
  owner: { uid: 0, gid: 0 },
}

export const variables: Readonly<Record<string, string>> = {
  SystemRoot: String.raw`C:\Windows`,
  SystemDrive: 'C:',
  ProgramFiles: String.raw`C:\Program Files`,
  ProgramData: String.raw`C:\ProgramData`,
  PUBLIC: String.raw`C:\Users\Public`,
  LOCALAPPDATA: String.raw`C:\Users\me\AppData\Local`,
  APPDATA: String.raw`C:\Users\me\AppData\Roaming`,
  Path: String.raw`C:\Windows\System32;C:\Windows;C:\Users\me\tools\node`,
  SECRET: 'x',
}

export const host: Host = {
  platform: 'win32',
  uid: null,
  gid: null,
  home,
  can: async () => ({ ok: true, level: 1, reason: '' }),
}

/** A machine as it usually is, with the profile of its user closed to everybody else. */
export function machine(): FakeWindowsDisk {
  const disk = new FakeWindowsDisk()
  disk.lay({
    [String.raw`C:\Windows\System32\drivers\etc\hosts`]: '127.0.0.1',
    [String.raw`C:\Windows\System32\ntdll.dll`]: 'MZ',
    [String.raw`C:\Windows\Temp`]: null,
    [String.raw`C:\Program Files\Git\cmd\git.exe`]: 'MZ',
    [String.raw`C:\ProgramData`]: null,
    [String.raw`C:\Users\Public`]: null,
    [home]: null,
  })
  disk.at(home).dacl = `D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;${user})`
  return disk.lay({
    [String.raw`${home}\.ssh\id_rsa`]: 'secret',
    [String.raw`${home}\Documents\letter.txt`]: 'dear',
    [String.raw`${home}\AppData\Roaming`]: null,
    [String.raw`${home}\AppData\Local`]: null,
    [String.raw`${home}\tools\node\node.exe`]: 'MZ',
    [String.raw`${home}\tools\node\node_modules\npm\index.js`]: 'js',
    [String.raw`${home}\project\.git\objects\pack\one.pack`]: 'PACK',
    [String.raw`${home}\project\.git\HEAD`]: 'ref: refs/heads/main',
    [String.raw`${state}\repo-1\journal.db`]: 'SQLite',
    [String.raw`${state}\repo-1\workspaces`]: null,
    [String.raw`${state}\repo-1\making`]: null,
  })
}

/** Where Bulkhead is installed: open to everybody, unless a test lays it down elsewhere. */
export const programs = [String.raw`C:\Users\me\npm\bulkhead\native`, String.raw`C:\Users\me\npm\bulkhead\native\bulkhead-launcher.exe`]

export interface Stage {
  readonly disk: FakeWindowsDisk
  readonly plugin: LayerPlugin<AclOptions>
  readonly receipts: Receipt[]
  readonly reports: unknown[]
  /** The plan of that policy applied on `workspace` (default: the job's). */
  apply(change?: Partial<Wish>): Promise<AppliedLayer>
  context(change?: Partial<Wish>): ApplyContext
}

interface Wish {
  readonly policy: Partial<Policy['filesystem']>
  readonly temporaryBytes: number
  readonly options: Partial<AclOptions>
  readonly workspace: WorkspaceView
  readonly signal: AbortSignal
}

export function stage(disk = machine(), surroundings: Readonly<Record<string, string>> = variables): Stage {
  const plugin = aclPlugin({
    disk,
    variables: surroundings,
    executable: String.raw`C:\Users\me\tools\node\node.exe`,
    programs: () => programs,
  })
  const receipts: Receipt[] = []
  const reports: unknown[] = []
  const context = ({ workspace = job, signal = new AbortController().signal }: Partial<Wish> = {}): ApplyContext => ({
    host,
    job: 'job_000000000001',
    workspace,
    signal,
    provided: {},
    record: async (receipt) => {
      disk.step('record')
      receipts.push(JSON.parse(JSON.stringify(receipt)) as Receipt)
    },
    report: (denial) => reports.push(denial),
  })
  return {
    disk,
    plugin,
    receipts,
    reports,
    context,
    apply: async (wish = {}) => {
      const policy: Policy = {
        ...emptyPolicy,
        filesystem: { ...emptyPolicy.filesystem, ...wish.policy },
        limits: { ...emptyPolicy.limits, temporaryBytes: wish.temporaryBytes ?? null },
      }
      const plan = plugin.plan(policy, plugin.options.parse(wish.options ?? {}), planContext(wish.workspace))
      return plugin.apply(plan, context(wish))
    },
  }
}

export function planContext(workspace: WorkspaceView = job): PlanContext {
  return {
    host,
    job: 'job_000000000001',
    workspace,
    availability: { usable: true, tier: 'partial', detail: '' },
    capabilities: ['restricting-sids'],
  }
}

/** Makes the job's workspace as `workspaces/` does: prepared while empty, filled, moved into place. */
export async function makeWorkspace({ disk, plugin }: Pick<Stage, 'disk' | 'plugin'>, options: Partial<AclOptions> = {}): Promise<void> {
  const making = String.raw`${state}\repo-1\making\fix`
  disk.lay({ [making]: null })
  await plugin.prepare?.(
    {
      directory: making,
      path: job.path,
      gitDirectory: job.gitDirectory ?? '',
      making: { path: `${making}\\tree`, gitDirectory: `${making}\\git` },
    },
    plugin.options.parse(options),
    host,
  )
  disk.lay({
    [`${making}\\tree\\src\\a.ts`]: 'a',
    [`${making}\\tree\\README.md`]: 'readme',
    [`${making}\\git\\HEAD`]: 'ref: refs/heads/bulkhead/fix',
    [`${making}\\quarantine.git\\HEAD`]: 'ref: refs/heads/none',
    [`${making}\\workspace.json`]: '{}',
  })
  disk.move(making, outer)
  disk.log.length = 0
}
