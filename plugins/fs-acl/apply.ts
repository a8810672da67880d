import { dirname } from 'node:path/win32'
import type { AppliedLayer, ApplyContext, LaunchSpec, LayerPlan, Sandbox, WorkspaceView } from '../../core/contracts/index.ts'
import { BulkheadError } from '../../core/contracts/index.ts'
import { isInside } from '../../native/index.ts'
import { nameInWorkspace, parseDeny } from './deny-pattern.ts'
import { findDenied } from './deny-find.ts'
import type { Denied } from './deny-find.ts'
import { closedDescriptor } from './descriptors.ts'
import type { Disk } from './disk.ts'
import { Effects } from './effects.ts'
import { withSurroundings } from './environment.ts'
import type { EnvironmentFacts } from './environment.ts'
import { closeExisting, isTooMuch, openExisting, openTheWay } from './open.ts'
import type { Opening } from './open.ts'
import { outermost, placesOf, privateFolder, realPlaces } from './places.ts'
import { claimsFor, pluginId, readData } from './plan.ts'
import type { AclData } from './plan.ts'
import { checkPolicyPaths, checkProtected, checkWorkspace } from './policy-paths.ts'
import { canonical, principalsOf } from './prepare.ts'
import { makePrivate } from './private.ts'
import { gatherTargets } from './targets.ts'
import { chooseToolchains } from './toolchains.ts'
import type { Toolchains } from './toolchains.ts'
import { watchUsage } from './usage.ts'
import { verifyAcl } from './verify.ts'
import type { Targets } from './verify.ts'
import { openWorkspace } from './workspace.ts'

/** What this layer works on. */
export interface AclParts {
  readonly disk: Disk
  /** The host's environment variables, and the Node.js that Bulkhead runs on. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly executable: string
  /** What agents run or load of Bulkhead itself. */
  readonly programs: () => readonly string[]
}

/**
 * Opens to the agent what is its own and what the policy names, closes what is protected, and makes directories of its own for it. Throws
 * `config_invalid`, `host_unsupported`, `workspace_failed`, `native_failed`.
 */
export async function applyAcl(plan: LayerPlan, context: ApplyContext, parts: AclParts): Promise<AppliedLayer> {
  const data = readData(plan.data)
  const { disk, variables } = parts
  const { signal, workspace } = context
  const places = realPlaces(placesOf(canonical(context.host.home, disk.security), variables), (one) => disk.realPath(one))
  checkPolicyPaths(data, places.home)
  checkProtected(data, places)
  const path = canonical(workspace.path, disk.security)
  checkWorkspace(path, places)

  const who = principalsOf(path, disk.security)
  const effects = new Effects({ plugin: pluginId, disk, signal, record: (receipt) => context.record(receipt) })
  const opening: Opening = { disk, effects, who, places, options: data.options, signal }
  const open = await openWorkspace(opening, workspace)
  const own = await makePrivate(disk, effects, privateFolder(places), who, data.options.label)
  const toolchains = await usableToolchains(opening, data, workspace, parts)
  const roots = await openRoots(opening, data, workspace, [...toolchains.opened, ...parts.programs()])
  const inside = [open.path, ...(open.gitDirectory === null ? [] : [open.gitDirectory])]
  const denied = await closeDenied(opening, data, open.path, [...inside, ...roots])
  await openTheWay(opening, [...inside, own.home, ...roots, ...toolchains.path])

  const targets = gatherTargets({
    disk,
    places,
    own,
    open,
    denied,
    roots,
    confined: data.options.reads === 'confined',
    claims: claimsFor(data, context).map(({ id }) => id),
  })
  return new AppliedAcl({
    effects,
    disk,
    targets,
    surroundings: { home: own.home, path: toolchains.path, gitDirectory: open.gitDirectory, workspace: open.path, host: variables },
    workspaceSid: who.workspace,
    temporaryBytes: data.temporaryBytes,
    report: (denial) => context.report(denial),
  })
}

/** What the policy and the work name outside the workspace. Returns what was opened. */
async function openRoots(opening: Opening, data: AclData, workspace: WorkspaceView, needed: readonly string[]): Promise<readonly string[]> {
  const outside = (path: string): boolean => !isInside(path, workspace.path)
  const writes = outermost(data.write.filter(outside))
  const reads = outermost([...data.read, ...workspace.objectStores, ...needed].filter(outside)).filter(
    (path) => !writes.some((root) => isInside(path, root)),
  )
  const opened: string[] = []
  for (const [paths, access] of [
    [writes, 'write'],
    [reads, 'read'],
  ] as const) {
    for (const path of paths) {
      const place = await openExisting(opening, path, access)
      if (place !== undefined) opened.push(place)
    }
  }
  return opened
}

/** A toolchain that is too big to be opened file by file is left out, and so is its directory on PATH: it would only be found and then fail. */
async function usableToolchains(opening: Opening, { options }: AclData, workspace: WorkspaceView, parts: AclParts): Promise<Toolchains> {
  if (!options.toolchains) return { opened: [], path: [] }
  const { disk, places } = opening
  const { path, gitDirectory, objectStores } = workspace
  const kept = [places.home, places.state, places.configuration, path, ...(gitDirectory === null ? [] : [gitDirectory])]
  const pathName = Object.keys(parts.variables).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const chosen = chooseToolchains(disk, parts.variables[pathName] ?? '', parts.executable, {
    workspace: path,
    kept: [...kept, ...objectStores.map((store) => dirname(store))],
  })
  const tooMuch: string[] = []
  for (const directory of chosen.opened) {
    const facts = disk.security.read(directory, 'access')
    if (facts !== undefined && (await isTooMuch(opening, directory, facts))) tooMuch.push(directory)
  }
  const isUsable = (directory: string): boolean => !tooMuch.some((one) => isInside(directory, one))
  return { opened: chosen.opened.filter(isUsable), path: chosen.path.filter(isUsable) }
}

/** What exists is closed; a plain name right in the workspace that does not exist is taken, so that it cannot come to be. */
async function closeDenied(opening: Opening, data: AclData, workspace: string, open: readonly string[]): Promise<readonly Denied[]> {
  const { disk, effects, who, signal } = opening
  const patterns = data.deny.flatMap((text) => parseDeny(text, workspace) ?? [])
  const denied = await findDenied(disk, patterns, open, signal)
  if (denied.some(({ path }) => isInside(workspace, path))) {
    throw new BulkheadError('config_invalid', `filesystem.deny closes the workspace "${workspace}" itself`, {
      remedy: 'Deny what is inside it.',
    })
  }
  for (const one of denied) await closeExisting(opening, one, 'use')
  const taken: Denied[] = []
  for (const name of new Set(data.deny.flatMap((text) => nameInWorkspace(text)?.toLowerCase() ?? []))) {
    const path = `${workspace}\\${name}`
    if (disk.security.read(path, 'access') !== undefined) continue
    await effects.makePlaceholder(path, closedDescriptor(who, { readable: false }))
    taken.push({ path, directory: true })
  }
  return [...denied, ...taken]
}

interface AppliedParts {
  readonly effects: Effects
  readonly disk: Disk
  readonly targets: Targets
  readonly surroundings: EnvironmentFacts
  readonly workspaceSid: string
  readonly temporaryBytes: number | null
  readonly report: ApplyContext['report']
}

class AppliedAcl implements AppliedLayer {
  readonly #parts: AppliedParts
  #watch: Disposable | undefined

  constructor(parts: AppliedParts) {
    this.#parts = parts
  }

  contribute(spec: LaunchSpec): LaunchSpec {
    const { surroundings, workspaceSid } = this.#parts
    const environment = withSurroundings(spec.command.environment, surroundings)
    return { ...spec, command: { ...spec.command, environment }, filesystem: { mechanism: 'windows-acl', workspaceSid } }
  }

  async attach(sandbox: Sandbox): Promise<void> {
    const { disk, targets, temporaryBytes, report } = this.#parts
    if (temporaryBytes === null) return
    const { home } = targets.own
    this.#watch = watchUsage(disk, home, temporaryBytes, () => {
      report({
        layer: 'filesystem',
        plugin: pluginId,
        reason: 'temporary_bytes_exceeded',
        object: home,
        action: 'kill',
        program: null,
        remedy: 'limits.temporaryBytes',
        lost: 0,
      })
      sandbox.kill()
    })
  }

  verify(probe: Parameters<AppliedLayer['verify']>[0]): ReturnType<AppliedLayer['verify']> {
    return verifyAcl(this.#parts.targets, probe)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]()
    await this.#parts.effects.undo()
  }
}
