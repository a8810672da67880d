import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Bulkhead } from './bulkhead.ts'
import { report } from './report.ts'
import { setStage } from './stage.ts'
import type { Stage } from './stage.ts'

/**
 * The whole main job on real input: three agents at once on a clone of Bulkhead's own history. Two changes land, one is rejected, and an
 * agent that tries to get out is stopped. Exits 0 only when all of that is so.
 *
 * `--directory DIR` keeps everything there; run again with the same directory, a demo that was killed goes on where it was.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { directory: { type: 'string' } } })
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
  if (!existsSync(join(root, '.git'))) throw new Error('the demo plays on a clone of Bulkhead’s own history, and this is no git checkout')
  const directory = values.directory === undefined ? mkdtempSync('/var/tmp/bulkhead-demo-') : resolve(values.directory)
  const stage = await setStage(directory, root)
  try {
    const passed = await play(stage, root)
    process.exitCode = passed ? 0 : 1
  } finally {
    stage[Symbol.dispose]()
    if (values.directory === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

async function play(stage: Stage, root: string): Promise<boolean> {
  const bulkhead = new Bulkhead(stage, join(root, 'dist/cli/main.js'))
  const before = headOf(stage)
  const phases: { readonly name: string; readonly ms: number }[] = []
  const phase = async (name: string, act: () => Promise<void>): Promise<void> => {
    const begin = performance.now()
    await act()
    phases.push({ name, ms: performance.now() - begin })
  }
  const status = async (name: string): Promise<string | undefined> => (await bulkhead.jobs()).find(({ spec }) => spec.name === name)?.status

  const submitted = (await bulkhead.jobs()).length > 0
  await phase('three agents at work', () => (submitted ? bulkhead.say('run') : bulkhead.say('run', '-f', stage.jobs)))
  await phase('review', async () => {
    await bulkhead.say('diff', '--stat', 'fix-hosts')
    for (const name of ['fix-hosts', 'licence-headers']) {
      if ((await status(name)) === 'finished') await bulkhead.say('approve', name)
    }
    if ((await status('narrow-lines')) === 'finished') await bulkhead.say('reject', 'narrow-lines', '--reason', 'We like long lines.')
  })
  await phase('gates and merge', async () => {
    const waiting = await Promise.all(['fix-hosts', 'licence-headers'].map(status))
    if (waiting.some((one) => one !== 'merged')) await bulkhead.say('merge')
  })
  await bulkhead.say('ls')
  return report({ stage, bulkhead, root, before, phases })
}

function headOf(stage: Stage): string {
  return execFileSync('git', ['-C', stage.repository, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()
}

await main()
