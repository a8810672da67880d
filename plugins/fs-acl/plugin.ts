import type { Availability, Host, LayerPlugin } from '../../core/contracts/index.ts'
import { applyAcl } from './apply.ts'
import type { AclParts } from './apply.ts'
import { undoData } from './effects.ts'
import type { AclOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { planAcl, pluginId } from './plan.ts'
import { prepareWorkspace } from './prepare.ts'

/**
 * Access control lists. Every workspace has a SID of its own that only its agents have among their restricting ones: what is granted to that
 * SID is open to them, and nothing else that is not open to every user of the machine.
 */
export function aclPlugin(parts: AclParts): LayerPlugin<AclOptions> {
  return {
    id: pluginId,
    layer: 'filesystem',
    contract: 1,
    options: optionsSchema,
    provides: ['workspace-grants'],
    requires: ['restricting-sids'],
    probe,
    plan: planAcl,
    prepare: async (workspace, options) => prepareWorkspace(workspace, options, parts.disk.security),
    apply: (plan, context) => applyAcl(plan, context, parts),
    recover: ({ data }) => undoData(parts.disk, data),
  }
}

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'win32') {
    return { usable: false, reason: 'access control lists are a feature of Windows', remedy: 'Choose another filesystem layer.' }
  }
  const { ok, reason } = await host.can('file-security')
  if (ok) return { usable: true, tier: 'partial', detail: 'a SID for each workspace; what every user may read stays readable' }
  return { usable: false, reason: `file-security: ${reason}`, remedy: 'Keep Bulkhead’s state on a local drive with NTFS.' }
}
