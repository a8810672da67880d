import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openJournal } from '../../core/journal/index.ts'
import { EnforcementPipeline } from '../../core/enforcement/pipeline.ts'
import { FakeLauncher } from './fake-launcher.ts'
import { fakeLayers, FakeWorld } from './fake-layer.ts'
import { enterRequest, fakeHost } from './fake-request.ts'

/**
 * An orchestrator that really dies: applies layers whose effects are files in a directory, and ends itself by SIGKILL at one step.
 * Arguments: journal, directory of effects, number of the step (0: never).
 */
export class DirectoryWorld extends FakeWorld {
  constructor(directory: string) {
    super()
    const path = (name: string) => join(directory, name.replaceAll('/', '_'))
    Object.assign(this.effects, {
      add: (name: string) => writeFileSync(path(name), ''),
      delete: (name: string) => rmSync(path(name), { force: true }),
    })
  }
}

const [, script = '', journalFile, directory, last] = process.argv
if (script.endsWith('receipt-victim.ts') && journalFile !== undefined && directory !== undefined) {
  const world = new DirectoryWorld(directory)
  let steps = 0
  world.step = () => void (++steps === Number(last) && process.kill(process.pid, 'SIGKILL'))
  const journal = openJournal({ file: journalFile, isAlive: () => true })
  const orchestrator = journal.register({ pid: process.pid, startTime: 'victim' })
  const pipeline = new EnforcementPipeline({
    plugins: fakeLayers(world),
    host: fakeHost,
    launcher: new FakeLauncher(),
    journal,
    orchestrator: () => orchestrator,
    isAlive: () => true,
  })
  const enforced = await pipeline.enter(enterRequest())
  await enforced[Symbol.asyncDispose]()
  process.stdout.write(String(steps))
}
