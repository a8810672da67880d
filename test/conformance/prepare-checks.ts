import type { Dirent } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { EmptyWorkspace } from '../../core/contracts/index.ts'
import type { Finding, Subject } from './subject.ts'
import { check, expectThat } from './subject.ts'

/** What a plugin does to a workspace that is being made. None for a plugin without the hook. */
export async function prepareChecks(subject: Subject): Promise<readonly Finding[]> {
  if (subject.plugin.prepare === undefined) return []
  return [await check('prepares an empty workspace, and nothing outside it', () => prepareFaults(subject))]
}

async function prepareFaults(subject: Subject): Promise<readonly string[]> {
  const { plugin, host } = subject
  const before = await subject.effects()
  const directory = join(subject.making, 'prepared')
  const workspace: EmptyWorkspace = {
    directory,
    path: join(subject.making, 'final', 'tree'),
    gitDirectory: join(subject.making, 'final', 'git'),
    making: { path: join(directory, 'tree'), gitDirectory: join(directory, 'git') },
  }
  await mkdir(directory)
  let faults: readonly string[]
  try {
    await plugin.prepare?.(workspace, plugin.options.parse({}), host)
    faults = await contentFaults(workspace)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  const left = !isDeepStrictEqual(await subject.effects(), before)
  return [...faults, ...expectThat(!left, 'something is left after the directory was deleted')]
}

/** Looks only where content may be, so that a link is never followed. */
async function contentFaults({ directory, making }: EmptyWorkspace): Promise<readonly string[]> {
  const allowed = [directory, making.path, join(making.path, '.git'), making.gitDirectory]
  const entries = async (path: string): Promise<readonly Dirent[]> => readdir(path, { withFileTypes: true }).catch(() => [])
  const faults: string[] = []
  for (const parent of allowed) {
    for (const entry of faults.length > 0 ? [] : await entries(parent)) {
      const path = join(parent, entry.name)
      const name = path.slice(directory.length + 1)
      faults.push(
        ...expectThat(allowed.includes(path), `it made "${name}"`),
        ...expectThat(entry.isDirectory(), `"${name}" is not a directory`),
      )
    }
  }
  return faults
}
