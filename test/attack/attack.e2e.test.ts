import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asOrdinaryUser, hostHas, ordinaryUser, packageRoot } from '../support/host.ts'
import { type Attack, attacks } from './attacks.ts'
import { layOutPrey, type Prey, restorePrey } from './prey.ts'

const prelude = readFileSync(join(packageRoot, 'test/attack/prelude.py'), 'utf8')
const bulkhead = [process.execPath, join(packageRoot, 'dist/cli/main.js'), 'exec', '--env', 'ATTACK_FACTS', '--']

const identities = [
  { name: 'root', uid: 0, gid: 0, prefix: [] as readonly string[], possible: hostHas('root') },
  { name: 'an ordinary user', ...ordinaryUser, prefix: asOrdinaryUser as readonly string[], possible: hostHas('ordinary-user') },
]

/** Three-valued: an attack that did not run proves nothing. */
function verdict(output: string): 'escaped' | 'contained' | 'invalid' {
  if (/^ESCAPED/m.test(output)) return 'escaped'
  return /^CONTAINED/m.test(output) ? 'contained' : 'invalid'
}

describe.each(identities.filter(({ possible }) => possible && hostHas('python3')))('as $name', (identity) => {
  let prey: Prey
  let home: string

  beforeAll(async () => {
    // Not below /tmp: the sandbox has its own /tmp, and the prey must be hidden by the view and not by that alone.
    prey = await layOutPrey('/var/tmp', identity.prefix, identity)
    home = mkdtempSync('/var/tmp/bulkhead-home-')
    spawnSync('chown', [`${identity.uid}:${identity.gid}`, home])
  })
  afterAll(async () => {
    await prey[Symbol.asyncDispose]()
    rmSync(home, { recursive: true, force: true })
  })

  function run(attack: Attack, walls: readonly string[]): string {
    restorePrey(prey, identity)
    const [program, ...args] = [...identity.prefix, ...walls, '/usr/bin/python3', '-c', `${prelude}\n${attack.python}`]
    const leaked = openSync(String(prey.facts['secret']), 'r')
    const result = spawnSync(program, args, {
      cwd: prey.workspace,
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe', leaked],
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        ATTACK_FACTS: JSON.stringify(prey.facts),
        TOKEN: String(prey.facts['environmentSecret']),
      },
    })
    return `${result.stdout}${result.stderr}${result.error?.message ?? ''}`
  }

  test.each(attacks.map((attack) => [attack.layer, attack.title, attack] as const))('%s: cannot %s', (_layer, _title, attack) => {
    const control = run(attack, [])
    if (attack.controlNeeds === undefined || identity.uid === 0) expect(`${verdict(control)}: ${control}`).toMatch(/^escaped/)
    const inside = run(attack, bulkhead)
    expect(`${verdict(inside)}: ${inside}`).toMatch(/^contained/)
  })
})
