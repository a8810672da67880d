/** Every attack of the suite succeeds where nothing stands in its way: a denial behind the walls is then the walls’. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  attacker,
  attacks,
  furniture,
  layOutPrey,
  makeRegistryPrey,
  openInheritable,
  type Prey,
  type Verdict,
} from '../../support/attacks/index.ts'

let prey: Prey
let verdicts: ReadonlyMap<string, Verdict>

before(async () => {
  mkdirSync(homedir(), { recursive: true })
  const base = mkdtempSync(join(homedir(), 'control-'))
  const [workspace, other, state] = ['mine/tree', 'other/tree', 'state'].map((name) => join(base, name)) as [string, string, string]
  for (const path of [join(workspace, '.git'), other, state, join(workspace, '..', 'quarantine.git')]) mkdirSync(path, { recursive: true })
  writeFileSync(join(other, 'theirs'), 'canary-5f1c')
  for (const [path, content] of Object.entries(furniture)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true })
    writeFileSync(join(workspace, path), content)
  }
  prey = await layOutPrey(state)
  using registry = makeRegistryPrey()
  using inheritable = openInheritable(base)
  const facts = { ...prey.facts, ...inheritable.facts, other, registry: registry.path }
  const attack = attacker(workspace, attacks, facts)
  const [program, ...args] = attack.argv
  const child = spawn(program, args, {
    cwd: workspace,
    env: { ...process.env, TOKEN: String(prey.facts['variableSecret']) },
    stdio: 'ignore',
  })
  await new Promise((resolve) => child.once('exit', resolve))
  verdicts = attack.read()
})

after(async () => prey[Symbol.asyncDispose]())

for (const { id, layer, title } of attacks) {
  test(`${layer} ${id}: to ${title} succeeds`, () => {
    const verdict = verdicts.get(id)
    assert.equal(verdict?.outcome, 'escaped', verdict?.detail)
  })
}
