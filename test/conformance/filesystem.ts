import type { Attempt } from '../../core/contracts/index.ts'
import type { LayerAttack } from './attack-checks.ts'
import type { Prey } from './prey.ts'

/** What a filesystem layer must withstand, whatever its mechanism. */
export function filesystemAttacks({ secret, victim, directory }: Prey): readonly LayerAttack[] {
  return [
    attack('reading a file outside', { op: 'read', path: secret }),
    attack('listing a directory outside', { op: 'read', path: directory }),
    attack('opening a file outside for writing', { op: 'write', path: victim }),
    attack('creating a file outside', { op: 'create', path: `${directory}/.bulkhead-probe` }),
    attack('reading a file outside by way of /proc', { op: 'read', path: `/proc/self/root${secret}` }),
    attack('reading a file outside by way of the workspace', { op: 'read', path: `../outside/secret` }),
  ]
}

function attack(name: string, attempt: Attempt): LayerAttack {
  return { name, attempts: [attempt], escaped: ([outcome]) => outcome?.ok === true }
}
