import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { defaultPolicy } from '../../../core/config/defaults.ts'
import type { AppliedLayer, Policy, Receipt, WorkspaceView } from '../../../core/contracts/index.ts'
import { createHost, createLauncher, fileSecurity } from '../../../native/index.ts'
import type { NativeLauncher } from '../../../native/index.ts'
import fsAcl from '../../../plugins/fs-acl/index.ts'

interface Wish {
  readonly filesystem?: Partial<Policy['filesystem']>
  readonly record?: (receipt: Receipt) => void
}

/** A directory in the user's profile in which the filesystem layer is tried, without a sandbox. */
export class AclBed implements AsyncDisposable {
  readonly area: string
  readonly #security = fileSecurity()
  readonly #launcher: NativeLauncher = createLauncher()

  constructor() {
    mkdirSync(homedir(), { recursive: true })
    this.area = mkdtempSync(join(homedir(), 'acl-'))
  }

  at(...names: readonly string[]): string {
    return join(this.area, ...names)
  }

  list(path: string): string {
    return this.#security.read(path, 'access')?.sddl ?? 'nothing'
  }

  label(path: string): string {
    return this.#security.read(path, 'label')?.sddl ?? 'nothing'
  }

  /** Every descriptor of the area, one line each, and of the directories above it. */
  descriptors(): readonly string[] {
    const names = readdirSync(this.area, { recursive: true }).map(String)
    const inside = ['', ...names].toSorted().map((name) => this.at(name))
    return [...inside, homedir(), join(homedir(), 'AppData', 'Local')].map((path) => `${path} ${this.list(path)} ${this.label(path)}`)
  }

  /** Directories that launches have for themselves. */
  own(): readonly string[] {
    const directory = join(homedir(), 'AppData', 'Local', 'Bulkhead', 'private')
    return existsSync(directory) ? readdirSync(directory) : []
  }

  /** A workspace as `workspaces/` makes it: prepared while empty, filled, and moved into place. */
  async workspace(name: string): Promise<WorkspaceView> {
    const [making, final] = [this.at(`${name}.making`), this.at(name)]
    mkdirSync(making)
    await this.prepare(making, final)
    mkdirSync(join(making, 'tree', 'src'))
    writeFileSync(join(making, 'tree', 'src', 'a.ts'), 'a')
    writeFileSync(join(making, 'tree', 'README.md'), 'readme')
    writeFileSync(join(making, 'git', 'HEAD'), 'ref: x')
    writeFileSync(join(making, 'workspace.json'), '{}')
    renameSync(making, final)
    return { ...viewOf(final), objectStores: [], owner: { uid: 0, gid: 0 } }
  }

  async prepare(making: string, final: string): Promise<void> {
    await fsAcl.prepare?.(
      { directory: making, ...viewOf(final), making: viewOf(making) },
      fsAcl.options.parse({}),
      createHost(this.#launcher),
    )
  }

  apply(workspace: WorkspaceView, { filesystem = {}, record = () => undefined }: Wish = {}): Promise<AppliedLayer> {
    const policy: Policy = { ...defaultPolicy, filesystem: { read: [], write: [], deny: [], ...filesystem } }
    const host = { ...createHost(this.#launcher), home: homedir() }
    const plan = fsAcl.plan(policy, fsAcl.options.parse({ toolchains: false }), {
      host,
      job: 'job_000000000001',
      workspace,
      availability: { usable: true, tier: 'partial', detail: '' },
      capabilities: ['restricting-sids'],
    })
    return fsAcl.apply(plan, {
      host,
      job: 'job_000000000001',
      workspace,
      signal: new AbortController().signal,
      provided: {},
      record: async (receipt) => record(receipt),
      report: () => undefined,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launcher[Symbol.asyncDispose]()
    rmSync(this.area, { recursive: true, force: true })
  }
}

function viewOf(directory: string): { readonly path: string; readonly gitDirectory: string } {
  return { path: join(directory, 'tree'), gitDirectory: join(directory, 'git') }
}
