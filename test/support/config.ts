import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { z } from 'zod'
import { loadConfiguration, type LoadRequest } from '../../core/config/load.ts'
import type { AgentAdapter, Layer, LayerPlugin } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { environmentsOf } from '../../plugins/environments.ts'

/** Plugins that only have a name and options: all that configuration looks at. */
function layer(id: string, of: Layer): [string, LayerPlugin] {
  const options = z.strictObject({ depth: z.number().int().optional() })
  return [id, { id, layer: of, contract: 1, options, provides: [], requires: [] } as unknown as LayerPlugin]
}

const layerPlugins = new Map([
  layer('fs-view', 'filesystem'),
  layer('token-userns', 'token'),
  layer('net-gateway', 'network'),
  layer('net-none', 'network'),
  layer('intercept-seccomp', 'interception'),
])

const adapter: AgentAdapter = {
  id: 'agent-command',
  contract: 1,
  options: z.strictObject({ command: z.array(z.string()).min(1) }),
  command: () => ({ argv: ['true'], environment: {}, stdin: null, files: {} }),
}

/** A home, a repository directory, and the two configuration files in them. */
export interface ConfigWorld {
  readonly home: string
  readonly repository: string
  readonly userFile: string
  readonly repositoryFile: string
  readonly request: LoadRequest
  write(path: string, text: string, mode?: number): void
}

function write(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

const made: string[] = []
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true })
})

export function configWorld(): ConfigWorld {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-config-')))
  made.push(root)
  const home = join(root, 'home')
  const repository = join(root, 'repo')
  mkdirSync(home)
  mkdirSync(repository)
  return {
    home,
    repository,
    userFile: join(home, '.config/bulkhead/bulkhead.yaml'),
    repositoryFile: join(repository, 'bulkhead.yaml'),
    write,
    request: {
      file: null,
      environment: null,
      surroundings: {
        directory: repository,
        home,
        folders: { configuration: join(home, '.config'), state: join(home, '.local/state') },
        variables: {},
      },
      repository,
      own: [join(home, '.local/state/bulkhead'), repository],
      environments: environmentsOf('linux'),
      layers: layerPlugins,
      agents: new Map([[adapter.id, adapter]]),
    },
  }
}

/** The lines a person would see, in the form `code file:line:column: rule; remedy`, with `root` shortened. */
export async function complaints(load: () => Promise<unknown>, roots: readonly (readonly [string, string])[]): Promise<string[]> {
  try {
    await load()
    return []
  } catch (error) {
    if (!BulkheadError.is(error)) throw error
    const all = error.cause instanceof AggregateError ? (error.cause.errors as BulkheadError[]) : [error]
    return all.map(({ code, message, details }) => {
      const line = `${code} ${details.where}: ${message}; ${details.remedy}`
      return roots.reduce((text, [root, short]) => text.replaceAll(root, short), line)
    })
  }
}

export function load(world: ConfigWorld, more: Partial<LoadRequest> = {}) {
  return loadConfiguration({ ...world.request, ...more })
}
