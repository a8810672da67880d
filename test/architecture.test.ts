import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const sourceFolders = ['core', 'gateway', 'plugins', 'workspaces', 'native', 'demo', 'bench']

function filesUnder(folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith(join('native', 'build')))
}

interface Import {
  readonly from: string
  /** Repository-relative path for our own modules, the package name otherwise. */
  readonly to: string
}

const importPattern = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g

function importsOf(path: string): Import[] {
  const text = readFileSync(join(root, path), 'utf8')
  return [...text.matchAll(importPattern)].map((match) => {
    const target = match[1] ?? match[2] ?? ''
    return { from: path, to: target.startsWith('.') ? normalize(join(dirname(path), target)) : target }
  })
}

const sources = sourceFolders.flatMap((folder) => filesUnder(folder, ['.ts']))
const imports = sources.flatMap(importsOf)

/** The part of the tree a file belongs to, as the layering rules name it. */
function part(path: string): string {
  const [first, second] = path.split('/')
  if (first === 'core') return path.split('/').length === 2 ? `core/${second}` : `core/${second}/`
  if (first === 'plugins') return path === 'plugins/index.ts' ? path : `plugins/${second}/`
  return `${first}/`
}

/** Who may import what of ours. First match wins; a part that no rule names may import nothing. */
const rules: readonly { readonly who: RegExp; readonly may: readonly RegExp[] }[] = [
  { who: /^core\/contracts\/$/, may: [] },
  { who: /^core\/(config|scheduler|enforcement|agents|journal)\/$/, may: [/^core\/contracts\/$/] },
  { who: /^core\/cli\/$/, may: [/^core\/contracts\/$/, /^core\/compose(-command)?\.ts$/, /^core\/config\/$/] },
  { who: /^core\/compose(-command)?\.ts$/, may: [/./] },
  { who: /^core\/index\.ts$/, may: [/^core\/(contracts|config)\/$/, /^core\/compose(-command)?\.ts$/] },
  { who: /^(gateway|workspaces|native)\/$/, may: [/^core\/contracts\/$/] },
  { who: /^plugins\/index\.ts$/, may: [/^plugins\/[^/]+\/$/, /^core\/contracts\/$/] },
  // An underscore marks what is no plugin: the template, and what several plugins are made of. Those are leaves.
  { who: /^plugins\/_[^/]+\/$/, may: [/^core\/contracts\/$/, /^gateway\/$/, /^native\/$/] },
  { who: /^plugins\/[^/]+\/$/, may: [/^core\/contracts\/$/, /^gateway\/$/, /^native\/$/, /^plugins\/_(?!template\/)[^/]+\/$/] },
  { who: /^(demo|bench)\/$/, may: [/^core\/(contracts\/|compose(-command)?\.ts|index\.ts)$/, /^native\/$/, /^plugins\/index\.ts$/] },
]

describe('layering', () => {
  test('every import between parts is allowed', () => {
    const broken = imports
      .filter(({ to }) => sources.includes(to))
      .filter(({ from, to }) => part(from) !== part(to))
      .filter(({ from, to }) => {
        const rule = rules.find(({ who }) => who.test(part(from)))
        return rule === undefined || !rule.may.some((allowed) => allowed.test(part(to)))
      })
      .map(({ from, to }) => `${from} -> ${to}`)
    expect(broken).toEqual([])
  })

  test('relative imports name files that exist', () => {
    const missing = imports
      .filter(({ to }) => to.endsWith('.ts'))
      .filter(({ to }) => !sources.includes(to))
      .map(({ from, to }) => `${from} -> ${to}`)
    expect(missing).toEqual([])
  })

  test('there is no import cycle', () => {
    const edges = new Map<string, string[]>()
    for (const { from, to } of imports) if (sources.includes(to)) edges.set(from, [...(edges.get(from) ?? []), to])
    const done = new Set<string>()
    const walk = (file: string, trail: readonly string[]): readonly string[] | undefined => {
      if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file]
      if (done.has(file)) return undefined
      for (const next of edges.get(file) ?? []) {
        const cycle = walk(next, [...trail, file])
        if (cycle !== undefined) return cycle
      }
      done.add(file)
      return undefined
    }
    const cycles = sources.map((file) => walk(file, [])).filter((cycle) => cycle !== undefined)
    expect(cycles).toEqual([])
  })
})

describe('one user each', () => {
  const users = (name: RegExp): string[] => [...new Set(imports.filter(({ to }) => name.test(to)).map(({ from }) => from))]

  test.each([
    ['simple-git', /^simple-git$/, /^workspaces\//],
    ['chokidar', /^chokidar$/, /^workspaces\//],
    ['SQLite', /^(node:sqlite|@photostructure\/sqlite)$/, /^core\/journal\/database\.ts$/],
    ['koffi', /^koffi$/, /^native\/module\.ts$/],
    ['the injection container', /^tsyringe$/, /^core\/(compose\.ts|.*)$/],
    ['the command line parser', /^commander$/, /^core\/cli\//],
  ])('%s', (_, name, allowed) => {
    expect(users(name).length).toBeGreaterThan(0)
    expect(users(name).filter((file) => !allowed.test(file))).toEqual([])
  })

  test('only compose.ts builds a container', () => {
    const builders = sources.filter((file) => /\bcontainer\b[^\n]*from 'tsyringe'/.test(readFileSync(join(root, file), 'utf8')))
    expect(builders).toEqual(['core/compose.ts'])
  })
})

test('core names no operating system and no plugin', () => {
  const plugins = readdirSync(join(root, 'plugins')).filter(
    (name) => statSync(join(root, 'plugins', name)).isDirectory() && !name.startsWith('_'),
  )
  const suspicious = new RegExp(`process\\.platform|['"\`](?:${plugins.join('|')})['"\`]`)
  const offenders = sources
    .filter((file) => file.startsWith('core/') && file !== 'core/compose.ts')
    .filter((file) => suspicious.test(readFileSync(join(root, file), 'utf8')))
  expect(offenders).toEqual([])
})

test('files stay small enough to be one thing', () => {
  const long = (paths: readonly string[], limit: number): string[] =>
    paths.filter((path) => readFileSync(join(root, path), 'utf8').split('\n').length > limit)
  expect(long(sources, 300)).toEqual([])
  expect(long(filesUnder('native', ['.c', '.h']), 500)).toEqual([])
})

test('every plugin folder is named after its layer and is in the registry', () => {
  const folders = readdirSync(join(root, 'plugins'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
    .map((entry) => entry.name)
  expect(folders.filter((name) => !/^(token|fs|net|intercept|agent)-[a-z0-9]+$/.test(name))).toEqual([])
  const registered = importsOf('plugins/index.ts').map(({ to }) => to.split('/')[1])
  expect(folders.filter((name) => !registered.includes(name))).toEqual([])
})
