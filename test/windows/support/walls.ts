import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { defaultPolicy } from '../../../core/config/defaults.ts'
import type { Denial, Enforced, EnvironmentSpec, Launcher, Layer, Policy, WorkspaceView } from '../../../core/contracts/index.ts'
import { layers } from '../../../core/contracts/index.ts'
import { EnforcementPipeline, type EnforcementParts } from '../../../core/enforcement/pipeline.ts'
import { createHost, createLauncher } from '../../../native/index.ts'
import { layerPlugins } from '../../../plugins/index.ts'
import { FakeReceipts } from '../../support/fake-receipts.ts'

/** An environment of these plugins, in the order of `layers`. */
export function environmentOf(chosen: Readonly<Record<Layer, string>>, degrade: readonly Layer[] = []): EnvironmentSpec {
  const picked = layers.map((layer) => [layer, { plugin: chosen[layer], options: {} }])
  return { name: 'test', layers: Object.fromEntries(picked) as EnvironmentSpec['layers'], degrade }
}

/** The product's enforcement over the product's launcher, with receipts in memory. */
export class Walls implements AsyncDisposable {
  readonly environment: EnvironmentSpec
  /** Where workspaces are: in the user's profile, as they are in real life. */
  readonly home: string
  readonly enforcement: EnforcementPipeline
  readonly #launcher: Launcher
  readonly #ownsHome: boolean

  /** `parts` replaces parts of the pipeline; `home` is kept when it is given. */
  constructor(environment: EnvironmentSpec, parts: Partial<EnforcementParts> = {}, home?: string) {
    this.environment = environment
    mkdirSync(homedir(), { recursive: true })
    this.#ownsHome = home === undefined
    this.home = home ?? mkdtempSync(join(homedir(), 'walls-'))
    const native = createLauncher()
    const launcher = parts.launcher ?? native
    this.#launcher = launcher
    this.enforcement = new EnforcementPipeline({
      plugins: layerPlugins,
      host: createHost(native),
      launcher,
      journal: new FakeReceipts(),
      orchestrator: () => 'test',
      isAlive: () => true,
      ...parts,
    })
  }

  /** A workspace as `workspaces/` makes it: prepared while empty, filled, and moved into place. `files` by path below the tree. */
  async workspace(name: string, files: Readonly<Record<string, string>>): Promise<WorkspaceView> {
    const [making, final] = [join(this.home, `${name}.making`), join(this.home, name)]
    const view = (directory: string) => ({ path: join(directory, 'tree'), gitDirectory: join(directory, 'git') })
    mkdirSync(making)
    await this.enforcement.prepare(this.environment, { directory: making, ...view(final), making: view(making) })
    for (const path of [join(making, 'tree', '.git'), join(making, 'git'), join(making, 'quarantine.git')])
      mkdirSync(path, { recursive: true })
    for (const [path, content] of [
      ...Object.entries(files).map(([file, text]) => [join('tree', file), text] as const),
      ['workspace.json', '{}'] as const,
    ]) {
      mkdirSync(dirname(join(making, path)), { recursive: true })
      writeFileSync(join(making, path), content)
    }
    renameSync(making, final)
    return { ...view(final), objectStores: [], owner: { uid: 0, gid: 0 } }
  }

  /** Throws what `Enforcement.enter` throws. */
  enter(
    workspace: WorkspaceView,
    argv: readonly string[],
    policy: Partial<Policy> = {},
    onDenial: (denial: Denial) => void = () => undefined,
  ): Promise<Enforced> {
    return this.enforcement.enter({
      job: `job_${'0'.repeat(12)}`,
      environment: this.environment,
      policy: { ...defaultPolicy, limits: { ...defaultPolicy.limits, openFiles: null, temporaryBytes: null }, ...policy },
      workspace,
      command: { argv, directory: workspace.path, environment: {} },
      stdio: { kind: 'pipes' },
      signal: new AbortController().signal,
      onDenial,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launcher[Symbol.asyncDispose]()
    if (this.#ownsHome) rmSync(this.home, { recursive: true, force: true, maxRetries: 5 })
  }
}
