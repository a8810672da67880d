import type { AgentAdapter, LayerPlugin } from '../core/contracts/index.ts'
import { environmentsOf } from './environments.ts'
import agentCommand from './agent-command/index.ts'
import fsAcl from './fs-acl/index.ts'
import fsNone from './fs-none/index.ts'
import fsView from './fs-view/index.ts'
import interceptHook from './intercept-hook/index.ts'
import interceptNone from './intercept-none/index.ts'
import interceptSeccomp from './intercept-seccomp/index.ts'
import netGateway from './net-gateway/index.ts'
import netNone from './net-none/index.ts'
import netWfp from './net-wfp/index.ts'
import tokenAccount from './token-account/index.ts'
import tokenNone from './token-none/index.ts'
import tokenRestricted from './token-restricted/index.ts'
import tokenUserns from './token-userns/index.ts'

/** The layer plugins that come with Bulkhead, by id. */
export const layerPlugins: ReadonlyMap<string, LayerPlugin> = byId<LayerPlugin>([
  fsView,
  fsAcl,
  fsNone,
  tokenUserns,
  tokenRestricted,
  tokenAccount,
  tokenNone,
  netGateway,
  netWfp,
  netNone,
  interceptSeccomp,
  interceptHook,
  interceptNone,
])

/** The environments of the system that we run on. */
export const builtInEnvironments = environmentsOf(process.platform)

/** The agent adapters that come with Bulkhead, by id. */
export const agentAdapters: ReadonlyMap<string, AgentAdapter> = byId<AgentAdapter>([agentCommand])

function byId<T extends { readonly id: string }>(plugins: readonly T[]): ReadonlyMap<string, T> {
  return new Map(plugins.map((plugin) => [plugin.id, plugin]))
}
