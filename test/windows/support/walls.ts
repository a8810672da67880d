import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { defaultPolicy } from '../../../core/config/defaults.ts'
import type { Enforced, EnvironmentSpec, Layer, Policy, WorkspaceView } from '../../../core/contracts/index.ts'
import { layers } from '../../../core/contracts/index.ts'
import { EnforcementPipeline } from '../../../core/enforcement/pipeline.ts'
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
  readonly receipts = new FakeReceipts()
  readonly environment: EnvironmentSpec
  /** Where workspaces are: in the user's profile, as they are in real life. */
  readonly home: string
  readonly #launcher = createLauncher()
  readonly #enforcement: EnforcementPipeline

  constructor(environment: EnvironmentSpec) {
    this.environment = environment
    mkdirSync(homedir(), { recursive: true })
    this.home = mkdtempSync(join(homedir(), 'walls-'))
    this.#enforcement = new EnforcementPipeline({
      plugins: layerPlugins,
      host: createHost(this.#launcher),
      launcher: this.#launcher,
      journal: this.receipts,
      orchestrator: () => 'test',
      isAlive: () => true,
    })
  }

  /** A workspace as `workspaces/` makes it: prepared while empty, filled, and moved into place. `files` by path below the tree. */
  async workspace(name: string, files: Readonly<Record<string, string>>): Promise<WorkspaceView> {
    const [making, final] = [join(this.home, `${name}.making`), join(this.home, name)]
    const view = (directory: string) => ({ path: join(directory, 'tree'), gitDirectory: join(directory, 'git') })
    mkdirSync(making)
    await this.#enforcement.prepare(this.environment, { directory: making, ...view(final), making: view(making) })
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
  enter(workspace: WorkspaceView, argv: readonly string[], policy: Partial<Policy> = {}): Promise<Enforced> {
    return this.#enforcement.enter({
      job: `job_${'0'.repeat(12)}`,
      environment: this.environment,
      policy: { ...defaultPolicy, limits: { ...defaultPolicy.limits, openFiles: null, temporaryBytes: null }, ...policy },
      workspace,
      command: { argv, directory: workspace.path, environment: {} },
      stdio: { kind: 'pipes' },
      signal: new AbortController().signal,
      onDenial: () => undefined,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launcher[Symbol.asyncDispose]()
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 })
  }
}
