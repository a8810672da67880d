import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { canonicalPath, toGit } from './filesystem.ts'

/** git follows alternates of alternates this deep (gitrepository-layout(5), `alt_odb` in git's source). */
const maximumDepth = 5

/** The object directory and all it borrows from, canonical, each once. A store that does not exist is left out, as git does. */
export function objectStoresOf(objects: string): readonly string[] {
  const stores = new Set<string>()
  const visit = (directory: string, depth: number): void => {
    let path: string
    try {
      path = canonicalPath(directory)
    } catch {
      return
    }
    if (stores.has(path) || depth > maximumDepth) return
    stores.add(path)
    for (const alternate of alternatesIn(path)) visit(isAbsolute(alternate) ? alternate : join(path, alternate), depth + 1)
  }
  visit(objects, 0)
  return [...stores]
}

function alternatesIn(objects: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(join(objects, 'info', 'alternates'), 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(unquoted)
}

/** The content of an `info/alternates` that names `stores`. */
export function alternatesFile(stores: readonly string[]): string {
  return stores.map((path) => `${quoted(toGit(path))}\n`).join('')
}

/** git reads a line that begins with a double quote as a C string; that is how a newline gets into a path. */
function quoted(path: string): string {
  if (!/[\n"#\\]/.test(path)) return path
  return `"${path.replaceAll(/[\\"]/g, (character) => `\\${character}`).replaceAll('\n', '\\n')}"`
}

function unquoted(line: string): string {
  if (!line.startsWith('"') || !line.endsWith('"')) return line
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' }
  return line.slice(1, -1).replaceAll(/\\(.)/g, (_, character: string) => escapes[character] ?? character)
}
