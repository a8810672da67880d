import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { release } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { surroundingsOf } from '../../compose-command.ts'
import { stateHome } from '../../config/locate.ts'
import type { VerbContext } from '../verb.ts'

/** Something that Bulkhead needs of the machine, whatever the environment. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly remedy: string
}

export async function hostChecks({ directory, variables }: VerbContext): Promise<Check[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const surroundings = surroundingsOf({ directory, variables })
  return [
    {
      name: 'node',
      ok: major > 20 || (major === 20 && minor >= 19),
      detail: process.versions.node,
      remedy: 'Install Node.js 20.19 or newer.',
    },
    await gitCheck(variables),
    { name: 'kernel', ok: true, detail: release(), remedy: '' },
    await stateCheck(stateHome(surroundings)),
  ]
}

async function gitCheck(variables: NodeJS.ProcessEnv): Promise<Check> {
  const remedy = 'Install git 2.38 or newer.'
  // Not where the user is: on Windows a program is looked for in the working directory first.
  const cwd = dirname(process.execPath)
  try {
    const { stdout } = await promisify(execFile)('git', ['version'], { env: variables, cwd, timeout: 10_000 })
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
    return { name: 'git', ok: major > 2 || (major === 2 && minor >= 38), detail: stdout.trim().replace(/^git version /, ''), remedy }
  } catch {
    return { name: 'git', ok: false, detail: 'not found', remedy }
  }
}

async function stateCheck(state: string): Promise<Check> {
  for (let path = state; ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK | constants.X_OK)
      return { name: 'state', ok: true, detail: state, remedy: '' }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) continue
      return {
        name: 'state',
        ok: false,
        detail: `${path} is not writable`,
        remedy: 'Set BULKHEAD_STATE to a directory that you can write.',
      }
    }
  }
}
