import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Policy } from '../../core/contracts/index.ts'
import type { LayerAttack } from './attack-checks.ts'
import type { Prey } from './prey.ts'

/** What an interception layer must do, whatever its mechanism: close what opens new attack surface, and answer the policy's rules. */
export function interceptionAttacks({ workspace }: Prey): readonly LayerAttack[] {
  const precious = join(workspace, 'precious')
  const made = join(workspace, 'made')
  return [
    {
      name: 'deleting what a rule protects',
      policy: refuse,
      argv: ['/bin/rm', '-f', 'precious'],
      restore: () => writeFile(precious, 'precious\n'),
      escaped: async () => !(await exists(precious)),
    },
    {
      name: 'running a program that a rule refuses',
      policy: refuse,
      argv: ['/bin/sh', '-c', 'rm -f made; touch made'],
      escaped: () => exists(made),
    },
  ]
}

function refuse(policy: Policy): Policy {
  return {
    ...policy,
    interception: [
      { on: 'file.delete', match: './precious', action: 'deny' },
      { on: 'process.exec', match: '/**/touch', action: 'deny' },
    ],
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
