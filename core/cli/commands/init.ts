import { accessSync, constants, existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { surroundingsOf } from '../../compose-command.ts'
import { configurationFileName, usualUserFile } from '../../config/locate.ts'
import { makeDirectories } from '../../contracts/directories.ts'
import { BulkheadError } from '../../contracts/error.ts'
import { examples, inRepository, onRepository, type CommonOptions, tell, withJson } from '../app.ts'
import { packageRoot } from '../package-root.ts'
import { knownAgents, repositoryTemplate, userTemplate } from '../render/templates.ts'
import type { Verb, VerbContext } from '../verb.ts'

export const init: Verb = {
  register(program, context) {
    const command = onRepository(program.command('init')).description(
      'Write bulkhead.yaml for this repository, and your own policy file if you have none; nothing that exists is changed',
    )
    withJson(command, 'each file, one object per line,').action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        const { root } = app.workspaces.repository
        write(context, options, join(root, configurationFileName), 0o644, repositoryTemplate(schemaFor(root), repositoryFacts(root)))
        const own = usualUserFile(surroundingsOf(context))
        const agents = installedAgents(context.variables['PATH'] ?? '')
        write(context, options, own, 0o600, userTemplate(schemaPath(), agents))
        const first = agents.length === 0 ? `write your agent into ${own}, then ` : ''
        if (options.json !== true) context.terminal.note(`Next: ${first}bulkhead doctor, then bulkhead run "what to do"`)
      })
    })
    examples(command, ['bulkhead init', '$EDITOR ~/.config/bulkhead/bulkhead.yaml   # what agents may do, and which agents there are'])
  },
}

/** Never replaces a file. */
function write(context: VerbContext, options: CommonOptions, path: string, mode: number, text: string): void {
  try {
    makeDirectories(dirname(path))
    writeFileSync(path, text, { flag: 'wx', mode })
    tell(context, options, `wrote ${path}`, { path, written: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && present(path)) return tell(context, options, `kept  ${path}`, { path, written: false })
    if (code === 'ENOSPC' || code === 'EDQUOT') throw error
    throw new BulkheadError('usage_invalid', `${path} cannot be written (${code})`, {
      remedy: 'Make its directory a directory that you can write to.',
      cause: error,
    })
  }
}

function present(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

function schemaPath(): string {
  return fileURLToPath(new URL('docs/bulkhead.schema.json', packageRoot()))
}

/** A path that means the same for everybody who works on the repository, where Bulkhead is one of its dependencies. */
function schemaFor(root: string): string {
  const shared = 'node_modules/bulkhead/docs/bulkhead.schema.json'
  return existsSync(join(root, shared)) ? `./${shared}` : schemaPath()
}

function repositoryFacts(root: string): { readonly hasTests: boolean; readonly install: readonly string[] | null } {
  const install = existsSync(join(root, 'package-lock.json')) ? ['npm', 'ci'] : null
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: { test?: unknown } }
    return { hasTests: typeof manifest.scripts?.test === 'string', install }
  } catch {
    return { hasTests: false, install }
  }
}

function installedAgents(path: string): readonly string[] {
  const directories = path.split(delimiter).filter((directory) => isAbsolute(directory))
  return Object.keys(knownAgents).filter((program) => directories.some((directory) => isProgram(join(directory, program))))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
