import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EnvironmentSpec, Policy } from '../../../../core/contracts/index.ts'
import { setUp } from '../set-up.ts'
import { Walls } from '../walls.ts'
import { attacker, attackRules, furniture, layOutPrey, makeRegistryPrey, openInheritable, type Attack, type Verdict } from './index.ts'

/** Tries `tried` from inside that environment, on prey of the user who runs the test. */
export async function tryBehindWalls(environment: EnvironmentSpec, tried: readonly Attack[]): Promise<ReadonlyMap<string, Verdict>> {
  await using machine = await setUp(environment, 2)
  void machine
  await using walls = new Walls(environment)
  const state = join(walls.home, 'state')
  mkdirSync(state)
  await using prey = await layOutPrey(state)
  using registry = makeRegistryPrey()
  using inheritable = openInheritable(walls.home)
  const workspace = await walls.workspace('mine', furniture)
  const other = await walls.workspace('other', { theirs: 'canary-5f1c' })
  const stage = process.env['BULKHEAD_STAGE'] ?? ''
  const policy: Partial<Policy> = {
    interception: attackRules,
    filesystem: { read: [stage, dirname(process.execPath)], write: [], deny: [] },
  }
  await using sibling = await walls.enter(other, [process.execPath, '-e', 'setTimeout(() => {}, 600000)'], policy)
  await sibling.sandbox.start()
  const facts = {
    ...prey.facts,
    ...inheritable.facts,
    other: other.path,
    registry: registry.path,
    sibling: sibling.sandbox.process.pid,
  }
  const attack = attacker(workspace.path, tried, facts)
  process.env['TOKEN'] = String(prey.facts['variableSecret'])
  await using entered = await walls.enter(workspace, attack.argv, policy)
  entered.sandbox.stdin?.end()
  for (const stream of [entered.sandbox.stdout, entered.sandbox.stderr]) stream?.resume()
  await entered.sandbox.start()
  await entered.sandbox.exited
  return attack.read()
}
