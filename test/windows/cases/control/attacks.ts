/** Every attack of the suite succeeds where nothing stands in its way: a denial behind the walls is then the walls’. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import koffi from 'koffi'
import { attacker, attacks, furnish, layOutPrey, leakHandle, type Prey, type Verdict } from '../../support/attacks/index.ts'
import { makeRegistryPrey } from '../../support/attacks/registry.ts'

let prey: Prey
let verdicts: ReadonlyMap<string, Verdict>

before(async () => {
  mkdirSync(homedir(), { recursive: true })
  const base = mkdtempSync(join(homedir(), 'control-'))
  const [workspace, other, state] = ['mine/tree', 'other/tree', 'state'].map((name) => join(base, name)) as [string, string, string]
  for (const path of [join(workspace, '.git'), other, state, join(workspace, '..', 'quarantine.git')]) mkdirSync(path, { recursive: true })
  writeFileSync(join(other, 'theirs'), 'canary-5f1c')
  furnish(workspace, (path, content) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  })
  prey = await layOutPrey(state)
  using registry = makeRegistryPrey()
  const leak = leakHandle(base, inheritable)
  const facts = { ...prey.facts, ...leak, other, registry: registry.path }
  const { argv, read } = attacker(workspace, attacks, facts)
  const [program, ...args] = argv
  const child = spawn(program, args, {
    cwd: workspace,
    env: { ...process.env, TOKEN: String(prey.facts['variableSecret']) },
    stdio: 'ignore',
  })
  await new Promise((resolve) => child.once('exit', resolve))
  verdicts = read()
})

after(async () => prey[Symbol.asyncDispose]())

for (const { id, layer, title } of attacks) {
  test(`${layer} ${id}: to ${title} succeeds`, () => {
    const verdict = verdicts.get(id)
    assert.equal(verdict?.outcome, 'escaped', verdict?.detail)
  })
}

/** A handle that is inherited by every child that inherits at all. */
function inheritable(path: string): number {
  const kernel32 = koffi.load('kernel32.dll')
  const create = kernel32.func('intptr CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)')
  const security = Buffer.alloc(24)
  security.writeUInt32LE(24, 0)
  security.writeUInt32LE(1, 16)
  return Number(create(path, 0x80000000, 7, security, 3, 0, null))
}
