import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { AppliedLayer, ApplyContext, LayerPlan, MountView, WorkspaceView } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { userFolders } from '../../native/index.ts'
import { canaryPath, makeCanary, removeCanary } from './canary.ts'
import type { CanaryReceipt } from './canary.ts'
import { expandDeny } from './deny-expand.ts'
import { parseDeny } from './deny-pattern.ts'
import { withSurroundings } from './environment.ts'
import { agentInside } from './identity.ts'
import { isSameOrInside } from './paths.ts'
import { claimsFor, hiddenRepositories, pluginId, readData } from './plan.ts'
import type { ViewData } from './plan.ts'
import { checkPolicyPaths, checkProtected, checkWorkspace } from './policy-paths.ts'
import type { Protected } from './policy-paths.ts'
import { shownByPolicy, shownForWork, shownToolchain } from './shown-facts.ts'
import { resolverFiles, systemFacts } from './system-facts.ts'
import { toolchainFacts } from './toolchain-facts.ts'
import { chooseToolchains } from './toolchains.ts'
import type { Toolchains } from './toolchains.ts'
import { hiddenInHome, verifyView } from './verify.ts'
import type { Targets } from './verify.ts'
import { buildView, temporarySizes } from './view.ts'

/**
 * Looks at the host, builds the view and puts a canary on the host for it to hide. Throws `config_invalid`, `host_unsupported`,
 * `workspace_failed`.
 */
export async function applyView(plan: LayerPlan, context: ApplyContext): Promise<AppliedLayer> {
  const data = readData(plan.data)
  const { host, workspace, signal } = context
  const places = protectedPlaces(host.home, process.env)
  checkPolicyPaths(data, host.home)
  checkProtected(data, places)
  checkWorkspace(workspace.path, places)
  if (workspace.gitDirectory === null) refuseGitDirectory(workspace.path)

  const toolchains = toolchainsFor(data, workspace, places)
  const shown = [
    ...(await Promise.all(toolchains.shown.map((path) => shownToolchain(path, host)))).flat(),
    ...(await shownByPolicy(data, workspace, host)),
    ...(await shownForWork(data, workspace, host)),
  ]
  const system = systemFacts()
  const visible = [...system.directories, ...system.configuration].map(({ source }) => source)
  const patterns = data.deny.flatMap((text) => parseDeny(text, workspace.path) ?? [])
  const hidden = await expandDeny(patterns, [...visible, ...shown.map(({ target }) => target)], signal)
  if (hidden.some((path) => isSameOrInside(workspace.path, path))) {
    throw new BulkheadError('config_invalid', `filesystem.deny hides the workspace "${workspace.path}" itself`, {
      remedy: 'Deny what is inside it.',
    })
  }
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh'
  const view = buildView({
    identity: agentInside(host),
    system,
    resolver: data.options.resolver === 'host' ? resolverFiles() : null,
    shell,
    sizes: temporarySizes(data.temporaryBytes, totalmem()),
    shown,
    hidden,
    landlock: (await host.can('landlock')).ok,
  })

  const canary = await canaryPath([tmpdir(), '/var/tmp', '/tmp', '/dev/shm'], [...visible, ...shown.map(({ source }) => source)])
  const targets: Targets = {
    claims: claimsFor(data, context).map(({ id }) => id),
    canary,
    homeEntries: hiddenInHome(host.home, await namesIn(host.home), shown),
    shownByPolicy: [...data.read, ...data.write],
    workspace: workspace.path,
    repositories: hiddenRepositories(data, workspace),
    hidden,
  }
  signal.throwIfAborted()
  const receipt: CanaryReceipt = { canary }
  await context.record({ plugin: pluginId, data: receipt })
  await makeCanary(canary)
  return appliedView(view, targets, { toolchains, shell, host: process.env })
}

function appliedView(view: MountView, targets: Targets, surroundings: Parameters<typeof withSurroundings>[1]): AppliedLayer {
  return {
    contribute: (spec) => {
      const environment = withSurroundings(spec.command.environment, surroundings)
      return { ...spec, command: { ...spec.command, environment }, filesystem: view }
    },
    verify: (probe) => verifyView(targets, probe),
    [Symbol.asyncDispose]: () => removeCanary({ canary: targets.canary } satisfies CanaryReceipt),
  }
}

function toolchainsFor(data: ViewData, workspace: WorkspaceView, places: Protected): Toolchains {
  if (!data.options.toolchains) return { shown: [], path: [], variables: {} }
  const { path, gitDirectory, objectStores } = workspace
  const kept = [...Object.values(places), path, ...(gitDirectory === null ? [] : [gitDirectory]), ...objectStores.map(dirname)]
  return chooseToolchains(toolchainFacts(process.env['PATH'] ?? '', process.execPath), { home: places.home, workspace: path, kept })
}

/** A bare repository or a `.git`: its hooks and configuration would be the agent's to write, and the user's git runs them. */
function refuseGitDirectory(path: string): void {
  if (!['HEAD', 'objects', 'refs'].every((name) => existsSync(join(path, name)))) return
  throw new BulkheadError('config_invalid', `workspace "${path}" is a git directory itself, whose hooks and configuration git runs`, {
    remedy: 'Choose a checkout, or a directory that is no repository.',
  })
}

/** The same places that Bulkhead's configuration and workspaces use. */
function protectedPlaces(home: string, variables: Readonly<Record<string, string | undefined>>): Protected {
  const absolute = (name: string): string | undefined => (variables[name]?.startsWith('/') === true ? variables[name] : undefined)
  const folders = userFolders({ ...variables, HOME: home })
  return {
    home,
    state: absolute('BULKHEAD_STATE') ?? join(folders.state, 'bulkhead'),
    configuration: absolute('BULKHEAD_CONFIG') ?? join(folders.configuration, 'bulkhead'),
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => [])
}
