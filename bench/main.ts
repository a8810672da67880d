import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchJobs } from './jobs.ts'
import { benchLaunch } from './launch.ts'

/**
 * Side by side with what one would take instead, as ratios of one run: absolute times are the machine's.
 *
 *   npm run bench              everything
 *   npm run bench -- launch    only launches (BENCH_ROUNDS, default 51)
 *   npm run bench -- jobs      only the queue (BENCH_JOBS, default 200)
 */
const benches: Readonly<Record<string, (root: string) => Promise<void>>> = { launch: benchLaunch, jobs: benchJobs }

const here = dirname(fileURLToPath(import.meta.url))
const root = existsSync(join(here, '..', 'package.json')) ? join(here, '..') : join(here, '..', '..')
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (wanted.length === 0 || wanted.includes(name)) await bench(root)
  }
}
