import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tools } from './fetch.ts'
import { packageRoot, windowsTests } from './places.ts'
import { run } from './programs.ts'

/**
 * Puts the product as it would be installed on Windows into `stage`, with the cases compiled beside it: `dist/test/windows/cases/...`.
 * Windows Node 20 cannot read TypeScript.
 */
export async function stageProduct(stage: string, tools: Tools): Promise<void> {
  mkdirSync(stage, { recursive: true })
  const node = process.execPath
  const inRoot = { cwd: packageRoot }
  const typescript = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')
  await Promise.all([
    run(node, [typescript, '-p', join(windowsTests, 'tsconfig.json'), '--outDir', join(stage, 'dist')], inRoot),
    buildNatives(node),
    copyPackages(stage, tools),
  ])
  // The rest of the product's own build: the command line as it ships, in one bundle.
  await run(node, [join('core', 'cli', 'bundle.mjs'), join(stage, 'dist')], inRoot)
  await run(node, [join('core', 'journal', 'copy-migrations.mjs'), join(stage, 'dist')], inRoot)
  cpSync(join(packageRoot, 'package.json'), join(stage, 'package.json'))
  // Agents are plain JavaScript: they run as what somebody else wrote.
  cpSync(join(windowsTests, 'support'), join(stage, 'dist', 'test', 'windows', 'support'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  })
  const natives = join('native', 'build', 'win32-x64')
  cpSync(join(packageRoot, natives), join(stage, natives), { recursive: true })
  cpSync(builtDoubles, join(stage, 'double'), { recursive: true })
  cpSync(builtPrograms, join(stage, 'programs'), { recursive: true })
}

/** Of this checkout only, unlike what is in the cache. */
const builtDoubles = join(packageRoot, 'node_modules', '.cache', 'bulkhead-double')
const builtPrograms = join(packageRoot, 'node_modules', '.cache', 'bulkhead-windows-programs')

async function buildNatives(node: string): Promise<void> {
  await run(node, [join('native', 'build.mjs'), '--target', 'win32-x64'], { cwd: packageRoot })
  await run(node, [join(windowsTests, 'double', 'build.mjs'), builtDoubles], { cwd: packageRoot })
  await run(node, [join(windowsTests, 'native', 'build.mjs'), builtPrograms], { cwd: packageRoot })
}

/** What tests of the Linux suite need that run here too; vitest itself is `support/vitest.mjs`. */
const forTests = [
  '@vitest/expect',
  '@vitest/pretty-format',
  '@vitest/spy',
  '@vitest/utils',
  '@standard-schema/spec',
  'chai',
  'tinyrainbow',
  'fast-check',
  'pure-rand',
]

/** What `npm install --omit=dev` would put there on Windows. */
async function copyPackages(stage: string, tools: Tools): Promise<void> {
  const lock = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === '' || entry.dev === true || place.startsWith('node_modules/@koromix/')) continue
    if (existsSync(join(packageRoot, place))) cpSync(join(packageRoot, place), join(stage, place), { recursive: true })
  }
  cpSync(tools.koffi, join(stage, 'node_modules', '@koromix', 'koffi-win32-x64'), { recursive: true })
  for (const name of forTests) cpSync(join(packageRoot, 'node_modules', name), join(stage, 'node_modules', name), { recursive: true })
  const shim = join(stage, 'node_modules', 'vitest')
  mkdirSync(shim)
  cpSync(join(windowsTests, 'support', 'vitest.mjs'), join(shim, 'index.mjs'))
  writeFileSync(join(shim, 'package.json'), '{"name":"vitest","main":"index.mjs"}')
}
