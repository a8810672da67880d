import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { AppliedLayer, Availability, Host, LayerPlugin, Probe, Sandbox, UserNamespaceToken } from '../../core/contracts/index.ts'
import { agentIdCount, agentIdentity, isRoot, mapsAgentIds } from './identity.ts'
import { optionsSchema } from './options.ts'
import type { TokenOptions } from './options.ts'
import { planToken, pluginId, readData } from './plan.ts'
import { verifyToken } from './verify.ts'

/**
 * A user namespace (user_namespaces(7)) with no capability in it. Where Bulkhead is root the agent gets a kernel uid of its own: one that
 * is mapped to uid 0 could write kernel settings with every other wall up.
 */
const plugin: LayerPlugin<TokenOptions> = {
  id: pluginId,
  layer: 'token',
  contract: 1,
  options: optionsSchema,
  provides: ['user-namespace', 'pid-namespace', 'agent-identity'],
  requires: [],
  probe,
  plan: (policy, options, { host }) => planToken(policy, options, host),
  apply: (plan) => Promise.resolve(new AppliedToken(readData(plan.data))),
  // The namespaces end with the last process in them; nothing outside is touched, so no receipt is ever written.
  recover: () => Promise.resolve(),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'linux' || host.uid === null) {
    return { usable: false, reason: 'user namespaces are a feature of Linux', remedy: 'Choose another token layer.' }
  }
  const { ok, reason } = await host.can('user-namespace')
  if (!ok) {
    const remedy =
      'Allow user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1 (Debian), ' +
      'kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); in a container, its seccomp profile.'
    return { usable: false, reason: `user-namespace: ${reason}`, remedy }
  }
  if (isRoot(host) && !mapsAgentIds(await readFile('/proc/self/uid_map', 'utf8'))) {
    return {
      usable: false,
      reason: 'this root is one of a container with few user ids, so an agent cannot get a uid of its own',
      remedy: 'Run Bulkhead as an ordinary user of the container.',
    }
  }
  const detail = isRoot(host) ? 'own namespaces, a kernel uid of its own' : 'own namespaces, your uid without any capability'
  return { usable: true, tier: 'full', detail }
}

class AppliedToken implements AppliedLayer {
  readonly #part: UserNamespaceToken
  #ownHostPid = 0

  constructor({ inside, outside, hostname }: ReturnType<typeof readData>) {
    const kernel = outside === 'random' ? agentIdentity(randomInt(agentIdCount)) : null
    this.#part = { mechanism: 'linux-userns', inside, outside: kernel, hostname }
  }

  contribute(spec: Parameters<AppliedLayer['contribute']>[0]): ReturnType<AppliedLayer['contribute']> {
    return { ...spec, token: this.#part }
  }

  async attach({ process }: Sandbox): Promise<void> {
    this.#ownHostPid = process.pid
  }

  verify(probe: Probe): ReturnType<AppliedLayer['verify']> {
    const surroundings = { hostPids: [process.pid, process.ppid], ownHostPid: this.#ownHostPid }
    return verifyToken(this.#part, surroundings, probe)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}
