import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BulkheadError } from '../../core/contracts/index.ts'
import type { Host, WorkspaceView } from '../../core/contracts/index.ts'
import { reservedRoots } from './constants.ts'
import { mappedOwner } from './identity.ts'
import { isSameOrInside, isSameOrInsideAny, selfAndAbove } from './paths.ts'
import type { ViewData } from './plan.ts'
import type { Shown } from './view.ts'

/** Looks at everything of the host that the policy and the workspace show. Throws `config_invalid`. */
export async function shownByPolicy(data: ViewData, workspace: WorkspaceView, host: Host): Promise<readonly Shown[]> {
  const wanted = [
    ...data.read.filter((path) => !data.write.includes(path)).map((path) => ({ path, writable: false })),
    ...data.write.map((path) => ({ path, writable: true })),
  ]
  // The workspace is writable as a whole; a part of it that is named again is still part of it.
  const outside = wanted.filter(({ path }) => !isSameOrInside(path, workspace.path))
  const found = await Promise.all(
    outside.map(async ({ path, writable }): Promise<readonly Shown[]> => {
      const real = await canonical(path)
      if (real === undefined) return []
      const owner = isSameOrInsideAny(path, reservedRoots) ? null : mappedOwner(host, await stat(real))
      return [{ source: real, target: path, writable, owner }]
    }),
  )
  return found.flat()
}

/** The workspace, its git directory and the objects it reads. Throws `config_invalid`, `workspace_failed`. */
export async function shownForWork(data: ViewData, workspace: WorkspaceView, host: Host): Promise<readonly Shown[]> {
  const { path, gitDirectory, objectStores } = workspace
  const own = await show(path, path, true, host)
  const stores = objectStores.filter((store) => !isSameOrInside(store, path))
  return [own, ...(await Promise.all(stores.map((store) => show(store, store, false, host)))), ...(await git(gitDirectory))]

  async function git(directory: string | null): Promise<readonly Shown[]> {
    const target = join(path, '.git')
    const found = await lstat(target).catch(unlessMissing)
    if (directory !== null) {
      if (found?.isDirectory() !== true) throw broken(`"${target}" is not the empty directory that the agent's git directory goes over`)
      return [await show(directory, target, true, host)]
    }
    if (found === undefined || data.options.hostGit === 'writable') return []
    if (found.isSymbolicLink()) {
      throw new BulkheadError('config_invalid', `"${target}" is a link, so it cannot be protected from the agent`, {
        remedy: 'Set the option hostGit: writable of the filesystem layer, or work in another checkout.',
      })
    }
    return [await show(target, target, false, host)]
  }
}

/**
 * A toolchain keeps its permissions; one that only its owner gets to is shown as the agent's own. Empty when it is gone by now.
 */
export async function shownToolchain(path: string, host: Host): Promise<readonly Shown[]> {
  const stats = await stat(path).catch(unlessMissing)
  if (stats === undefined) return []
  const above = await Promise.all(selfAndAbove(dirname(path)).map((directory) => stat(directory)))
  const open = (stats.mode & 0o005) === 0o005 && above.every(({ mode }) => (mode & 0o001) !== 0)
  return [{ source: path, target: path, writable: false, owner: open ? null : mappedOwner(host, stats) }]
}

async function show(path: string, target: string, writable: boolean, host: Host): Promise<Shown> {
  const source = await realpath(path)
  return { source, target, writable, owner: mappedOwner(host, await stat(source)) }
}

/**
 * The real path, undefined when there is none. Policy paths are canonical when they are read; if a link stands in one now, somebody who
 * may write there (another agent) put it there to be shown what it leads to. Only a link right below `/` is followed: /home may be one.
 */
async function canonical(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(unlessMissing)
  if (real === undefined) return undefined
  const [, top = '', ...rest] = path.split('/')
  if (real === join(await realpath(`/${top}`), ...rest)) return real
  throw new BulkheadError('config_invalid', `filesystem policy: "${path}" leads through a link to "${real}"`, {
    remedy: `Name "${real}" itself if that is what agents should see.`,
    where: path,
  })
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}

function broken(message: string): BulkheadError {
  return new BulkheadError('workspace_failed', message, { operation: 'apply' })
}
