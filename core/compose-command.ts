import { join } from 'node:path'
import { stateHome, type Surroundings, usualUserFile } from './config/locate.ts'
import type { Configuration } from './contracts/configuration.ts'
import type { Enforcement } from './contracts/enforcement.ts'
import { BulkheadError } from './contracts/error.ts'
import type { ProcessIdentity } from './contracts/sandbox.ts'
import type { MachineSetup } from './contracts/setup.ts'
import { userFolders } from '../native/user-folders.ts'

/** What a command is run with. Nothing else is read from the process. */
export interface ComposeOptions {
  /** Absolute. */
  readonly directory: string
  readonly variables: NodeJS.ProcessEnv
  /** The user's own configuration file; null: the usual one. */
  readonly configFile: string | null
  /** Environment by name; null: as configured. */
  readonly environment: string | null
}

/** What one command behind the walls needs, and no more: it has to start fast. */
export interface CommandApp extends AsyncDisposable {
  readonly configuration: Configuration
  readonly enforcement: Enforcement
  /** Loaded when it is needed: no command that runs something needs it. */
  setup(): Promise<MachineSetup>
  /** A command that does nothing and ends with 0, on this system. */
  readonly harmless: readonly string[]
  /** Bulkhead's own files, which no command may change. */
  readonly own: readonly string[]
}

/** Needs no repository. Throws what `loadConfiguration` throws. */
export async function composeCommand(options: ComposeOptions): Promise<CommandApp> {
  const surroundings = surroundingsOf(options)
  const own = [stateHome(surroundings), usualUserFile(surroundings)]
  const [{ loadConfiguration }, native, { ReceiptFiles }, plugins, { EnforcementPipeline }] = await Promise.all([
    import('./config/load.ts'),
    import('../native/index.ts'),
    import('./journal/receipt-files.ts'),
    import('../plugins/index.ts'),
    import('./enforcement/pipeline.ts'),
  ])
  const configuration = await loadConfiguration({
    file: options.configFile,
    environment: options.environment,
    surroundings,
    repository: null,
    own,
    environments: plugins.builtInEnvironments,
    layers: plugins.layerPlugins,
    agents: plugins.agentAdapters,
  })
  const self = itself(native.processIdentity(process.pid))
  const receipts = new ReceiptFiles({ directory: join(stateHome(surroundings), 'exec'), self })
  const launcher = native.createLauncher()
  const host = native.createHost(launcher)
  const enforcement = new EnforcementPipeline({
    plugins: plugins.layerPlugins,
    host,
    launcher,
    journal: receipts,
    orchestrator: () => receipts.id,
    isAlive: native.isAlive,
  })
  if (receipts.orchestrators().some((one) => one.id !== receipts.id)) await enforcement.recover()
  return {
    configuration,
    enforcement,
    harmless: native.harmlessCommand,
    own,
    setup: async () => {
      const [{ LayerSetups }, { SetupFiles }] = await Promise.all([
        import('./enforcement/machine-setup.ts'),
        import('./journal/setup-files.ts'),
      ])
      const ledger = new SetupFiles({ directory: join(stateHome(surroundings), 'setup'), self, isAlive: native.isAlive })
      return new LayerSetups({ plugins: plugins.layerPlugins, host, ledger })
    },
    [Symbol.asyncDispose]: () => launcher[Symbol.asyncDispose](),
  }
}

export function surroundingsOf({ directory, variables }: Pick<ComposeOptions, 'directory' | 'variables'>): Surroundings {
  const { home, ...folders } = userFolders(variables)
  return { directory, home, folders, variables }
}

/** Our own process is there as long as we can ask. */
export function itself(identity: ProcessIdentity | undefined): ProcessIdentity {
  if (identity === undefined) throw new BulkheadError('host_unsupported', 'the system does not tell when a process was started')
  return identity
}
