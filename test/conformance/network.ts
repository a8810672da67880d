import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayerAttack } from './attack-checks.ts'
import type { Prey } from './prey.ts'

/** What a network layer must withstand under a policy that allows no host, whatever its mechanism. */
export function networkAttacks({ port, workspace }: Prey): readonly LayerAttack[] {
  const reached = join(workspace, 'reached')
  return [
    {
      name: 'reaching a service on the host’s loopback',
      // Judged by what the service says: a gateway may take any connection, only to refuse what is asked of it.
      argv: ['/bin/bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; read -r -t 5 -n 2 said <&3; [ "$said" = ok ] && : >reached`],
      restore: () => rm(reached, { force: true }),
      escaped: () =>
        access(reached).then(
          () => true,
          () => false,
        ),
    },
  ]
}
