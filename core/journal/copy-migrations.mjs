// Build step: tsc and the bundler copy only what they compile. Argument: the compiled product, by default dist/ of this checkout. Beside the module, and beside the bundle that the module is in.
import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const dist = process.argv[2] ?? join(here, '..', '..', 'dist')
const filter = (path) => path.endsWith('migrations') || path.endsWith('.sql')
for (const target of [join(dist, 'core', 'journal'), join(dist, 'cli')]) {
  cpSync(join(here, 'migrations'), join(target, 'migrations'), { recursive: true, filter })
}
