import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { surroundingsOf } from '../../compose-command.ts'
import { configurationFileName, usualUserFile } from '../../config/locate.ts'
import { examples, inRepository, onRepository, type CommonOptions } from '../app.ts'
import { packageRoot } from '../package-root.ts'
import { knownAgents, repositoryTemplate, userTemplate } from '../render/templates.ts'
import type { Verb, VerbContext } from '../verb.ts'

export const init: Verb = {
  register(program, context) {
    const command = onRepository(program.command('init')).description(
      'Write bulkhead.yaml for this repository, and your own policy file if you have none; nothing that exists is changed',
    )
    command.action(async (options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        const { root } = app.workspaces.repository
        write(context, join(root, configurationFileName), 0o644, repositoryTemplate(schemaFor(root), repositoryFacts(root)))
        const own = usualUserFile(surroundingsOf(context))
        write(context, own, 0o600, userTemplate(schemaPath(), installedAgents(context.variables['PATH'] ?? '')))
        context.terminal.note('Next: bulkhead doctor, then bulkhead run "what to do"')
      })
    })
    examples(command, ['bulkhead init', '$EDITOR ~/.config/bulkhead/bulkhead.yaml   # what agents may do, and which agents there are'])
  },
}

/** Never replaces a file. */
function write(context: VerbContext, path: string, mode: number, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { flag: 'wx', mode })
    context.terminal.out(`wrote ${path}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    context.terminal.out(`kept  ${path}`)
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
