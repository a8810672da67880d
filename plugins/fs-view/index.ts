import type { Availability, Host, LayerPlugin } from '../../core/contracts/index.ts'
import { applyView } from './apply.ts'
import { removeCanary } from './canary.ts'
import type { ViewOptions } from './options.ts'
import { optionsSchema } from './options.ts'
import { planView, pluginId } from './plan.ts'

/**
 * A new root (mount_namespaces(7), pivot_root(2)) on which only what is listed exists, with Landlock (landlock(7)) on top. What is not
 * shown cannot be named, so nothing depends on patterns or on the spelling of a path.
 */
const plugin: LayerPlugin<ViewOptions> = {
  id: pluginId,
  layer: 'filesystem',
  contract: 1,
  options: optionsSchema,
  provides: ['private-root'],
  requires: ['user-namespace', 'agent-identity'],
  probe,
  plan: planView,
  apply: applyView,
  recover: ({ data }) => removeCanary(data),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'linux') {
    return { usable: false, reason: 'mount namespaces are a feature of Linux', remedy: 'Choose another filesystem layer.' }
  }
  const view = await host.can('mount-namespace')
  if (!view.ok) {
    return {
      usable: false,
      reason: `mount-namespace: ${view.reason}`,
      remedy: 'Allow user and mount namespaces (sysctl user.max_user_namespaces, user.max_mnt_namespaces); Linux 5.13 or newer is needed.',
    }
  }
  const mapped = host.uid === 0 ? await host.can('idmapped-mount') : null
  if (mapped?.ok === false) {
    return {
      usable: false,
      reason: `idmapped-mount: ${mapped.reason}`,
      remedy: 'Run Bulkhead as an ordinary user, or keep its state on a filesystem with idmapped mounts (ext4, xfs, btrfs).',
    }
  }
  const landlock = await host.can('landlock')
  const top = landlock.ok ? `Landlock ABI ${landlock.level} on top` : `without Landlock on top (${landlock.reason})`
  return { usable: true, tier: 'full', detail: `new root with nothing but what is listed, ${top}` }
}
