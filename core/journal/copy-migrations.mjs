// Build step: tsc copies only what it compiles.
import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '..', '..', 'dist', 'core', 'journal', 'migrations')
cpSync(join(here, 'migrations'), target, { recursive: true, filter: (path) => path.endsWith('migrations') || path.endsWith('.sql') })
