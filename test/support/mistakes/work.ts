import type { ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDatabase } from '../../../core/journal/database.ts'
import { shellAgent, type CliWorld } from '../command-line.ts'
import { eventsOf, journalOf, type Mistake } from './mistake.ts'

/** Jobs that have ended, by name and script, without walls: what is wrong here is not theirs. */
async function worked(world: CliWorld, jobs: Readonly<Record<string, string>>, gates = '[]'): Promise<void> {
  world.configure(`${shellAgent}gates: ${gates}\n`)
  const file = join(world.home, 'jobs.json')
  const list = Object.entries(jobs).map(([name, prompt]) => ({ name, prompt, environment: 'none' }))
  writeFileSync(file, JSON.stringify({ jobs: list }))
  await world.run('run', '-f', file)
}

async function approved(world: CliWorld, jobs: Readonly<Record<string, string>>, gates?: string): Promise<void> {
  await worked(world, jobs, gates)
  for (const name of Object.keys(jobs)) await world.run('approve', name)
}

const wrongState = (what: string, script: string, argv: readonly string[], says: string): Mistake => ({
  code: 'usage_wrong_state',
  what,
  make: async (world) => {
    await worked(world, { one: script })
    return { argv, says: `bulkhead: ${says}` }
  },
})

export const workMistakes: readonly Mistake[] = [
  wrongState(
    'merging what nobody approved',
    'echo 1 > b',
    ['merge', 'one'],
    'Cannot merge one: it is finished; Look at it with bulkhead diff one, then bulkhead approve one.',
  ),
  wrongState(
    'approving what failed',
    'exit 1',
    ['approve', 'one'],
    'Cannot approve one: it is failed; It must be finished or rejected; see bulkhead ls.',
  ),
  wrongState('approving nothing', 'true', ['approve', 'one'], 'Cannot approve one: it changed nothing; See bulkhead show one.'),
  wrongState(
    'stopping what has ended',
    'true',
    ['stop', 'one'],
    'Cannot stop one: it is finished; It must be queued or preparing or running or waiting; see bulkhead ls.',
  ),
  wrongState(
    'answering what asks nothing',
    'true',
    ['answer', 'one', 'allow'],
    'Cannot answer one: it is finished; It must be waiting; see bulkhead ls.',
  ),
  wrongState('reviewing nothing', 'true', ['diff', 'one'], 'one changed nothing; See bulkhead ls for jobs that are finished.'),
  {
    code: 'usage_invalid',
    what: 'a name that is taken',
    make: async (world) => {
      await worked(world, { one: 'true' })
      return {
        argv: ['run', '-n', 'one', 'x'],
        says: 'bulkhead: A job named one exists already; Choose another name, or remove that job with bulkhead rm.',
      }
    },
  },
  {
    code: 'review_stale',
    what: 'approving another tree than there is',
    make: async (world) => {
      await worked(world, { one: 'echo 1 > b' })
      return {
        argv: ['approve', '--tree', '0'.repeat(40), 'one'],
        says: 'bulkhead: one changed after it was looked at; Look at it again with bulkhead diff one.',
      }
    },
  },
  {
    code: 'git_failed',
    what: 'a repository that lost an object',
    make: async (world) => {
      await worked(world, { one: 'echo 1 > b' })
      rmSync(join(world.repository, '.git/objects/pack'), { recursive: true })
      return {
        argv: ['diff', 'one'],
        says: 'bulkhead: git rev-parse failed: fatal: Needed a single revision; Run git fsck in the repository; BULKHEAD_DEBUG=1 shows where it happened.',
      }
    },
  },
  {
    code: 'merge_conflict',
    what: 'work that changes the same lines of two files',
    make: async (world) => {
      const script = (text: string): string => `echo ${text} > a.txt; echo ${text} > b.txt`
      await approved(world, { one: script('1'), two: script('2'), three: script('3') })
      await world.run('merge', 'one')
      return {
        argv: ['merge', 'two'],
        machine: ['merge', '--json', 'three'],
        records: true,
        says: "bulkhead: 'two' and refs/heads/main changed the same lines: a.txt, b.txt; Let the job run again on the present target, or merge refs/bulkhead/jobs/two by hand.",
      }
    },
  },
  {
    code: 'merge_gate_failed',
    what: 'work that a gate refuses',
    make: async (world) => {
      await approved(world, { one: 'echo 1 > b', two: 'echo 2 > c' }, '[{name: no, command: ["false"]}]')
      return {
        argv: ['merge', 'one'],
        machine: ['merge', '--json', 'two'],
        records: true,
        says: 'bulkhead: gate no: it exited with code 1 (one); See what it printed with bulkhead show one.',
      }
    },
  },
  {
    code: 'merge_checkout_dirty',
    what: 'a file of the user in the way',
    make: async (world) => {
      await approved(world, { one: 'echo 1 > b.txt' })
      writeFileSync(join(world.repository, 'b.txt'), 'mine')
      return {
        argv: ['merge'],
        records: true,
        says: `bulkhead: the checkout ${world.repository} cannot follow: b.txt is not tracked and would be overwritten; Commit, stash or move your changes there (or switch it to another branch), then merge again.`,
      }
    },
  },
  {
    code: 'merge_target_moved',
    what: 'a branch that never rests',
    make: async (world) => {
      await approved(world, { one: 'echo 1 > b.txt' }, '[{name: slow, command: [sleep, "0.1"]}]')
      world.git('checkout', '--quiet', '-b', 'mine')
      return {
        argv: ['merge'],
        machine: null,
        records: true,
        says: "bulkhead: refs/heads/main moved during each of 5 tries to land 'one'; Merge again when the branch is quieter.",
        meanwhile: commitAllTheTime,
      }
    },
  },
  {
    code: 'interrupted',
    what: 'Ctrl-C while a gate runs',
    make: async (world) => {
      await approved(world, { one: 'echo 1 > b.txt' }, '[{name: slow, command: [sleep, "30"]}]')
      return {
        argv: ['merge'],
        records: true,
        process: [],
        says: 'bulkhead: Stopped while the gates ran (one); Run the command again to go on.',
        meanwhile: interruptTheGate,
      }
    },
  },
  {
    code: 'journal_busy',
    what: 'a journal that another program keeps locked',
    make: async (world) => {
      await world.run('pause')
      return {
        argv: ['pause'],
        machine: null,
        process: [],
        says: `bulkhead: The journal stayed locked by another process (${journalOf(world)}); Wait for the other bulkhead command to end, then try again.`,
        meanwhile: keepLocked,
      }
    },
  },
]

async function commitAllTheTime(world: CliWorld, ended: AbortSignal): Promise<void> {
  const tree = world.git('rev-parse', 'main^{tree}').trim()
  while (!ended.aborted) {
    const commit = world.git('commit-tree', '-m', 'more', '-p', 'main', tree).trim()
    world.git('update-ref', 'refs/heads/main', commit)
    await delay(10)
  }
}

async function interruptTheGate(world: CliWorld, _ended: AbortSignal, child: ChildProcess | undefined): Promise<void> {
  for (const before = eventsOf(world); eventsOf(world) < before + 2;) await delay(20)
  child?.kill('SIGINT')
}

async function keepLocked(world: CliWorld, ended: AbortSignal): Promise<void> {
  using database = openDatabase(journalOf(world), 1_000)
  database.script('BEGIN IMMEDIATE')
  while (!ended.aborted) await delay(20)
  database.script('ROLLBACK')
}
