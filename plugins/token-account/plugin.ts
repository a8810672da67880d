import type {
  AppliedLayer,
  Availability,
  Claim,
  Host,
  LayerPlan,
  LayerPlugin,
  Policy,
  RestrictedToken,
} from '../../core/contracts/index.ts'
import {
  readTokenData,
  tokenClaims,
  tokenData,
  tokenOptions,
  tokenPart,
  tokenSteps,
  tokenTier,
  tokenUnsupported,
  verifyToken,
} from '../_windows-token/index.ts'
import type { TokenData, TokenOptions } from '../_windows-token/index.ts'
import { recoverLease, takeLease } from './lease.ts'
import type { Lease, Pool } from './lease.ts'
import { pluginId } from './names.ts'
import { accountSetup } from './setup.ts'
import { verifyAccount } from './verify.ts'

/**
 * The restricted token of a local account that no other agent has at the same time. What asks only who somebody is (filters of the network,
 * firewalls, audit logs) can tell this agent from the user and from every other agent. The accounts are made once by `bulkhead setup`.
 */
export function accountPlugin(pool: Pool): LayerPlugin<TokenOptions> {
  return {
    id: pluginId,
    layer: 'token',
    contract: 1,
    options: tokenOptions,
    provides: ['restricting-sids', 'account'],
    requires: ['workspace-grants'],
    probe,
    plan,
    apply: async (applied, context) => {
      const data = readTokenData(applied.data)
      return new AppliedAccount(data, await takeLease(pool, (receipt) => context.record(receipt), context.signal), pool)
    },
    recover: (receipt) => recoverLease(pool, receipt),
    setup: accountSetup(),
  }
}

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'win32') {
    return { usable: false, reason: 'agent accounts are a feature of Windows', remedy: 'Choose another token layer.' }
  }
  for (const feature of ['job-object', 'restricted-token'] as const) {
    const { ok, reason } = await host.can(feature)
    const remedy = 'Start Bulkhead as an ordinary user, outside every other sandbox; if it is, this system cannot confine anybody.'
    if (!ok) return { usable: false, reason: `${feature}: ${reason}`, remedy }
  }
  const { ok, level, reason } = await host.can('agent-accounts')
  if (ok)
    return { usable: true, tier: 'full', detail: `one of ${level} local accounts for each agent, with a restricted token in a job object` }
  const remedy =
    'Run `bulkhead setup windows` once, as an administrator; with --remove it is undone. Without accounts there is token-restricted.'
  return { usable: false, reason: `agent-accounts: ${reason}`, remedy }
}

const accountClaims: readonly Claim[] = [
  { id: 'own-account', text: 'It runs under a local account of its own, which is neither the user’s nor another agent’s.' },
  { id: 'passwords-closed', text: 'It can read no password of an agent account, not even its own.' },
]

function plan(policy: Policy, options: TokenOptions): LayerPlan {
  const data = tokenData(options)
  return {
    plugin: pluginId,
    layer: 'token',
    tier: tokenTier(data),
    enforces: [...tokenClaims(data).map(({ id, text }) => ({ id, text })), ...accountClaims],
    unsupported: tokenUnsupported(policy, data),
    steps: [
      'a free local account is leased, for this agent alone; what a former agent left under it is ended and deleted',
      ...tokenSteps(policy, data),
    ],
    data,
  }
}

class AppliedAccount implements AppliedLayer {
  readonly provided: Readonly<Record<string, string>>
  readonly #data: TokenData
  readonly #lease: Lease
  readonly #part: RestrictedToken
  readonly #pool: Pool

  constructor(data: TokenData, lease: Lease, pool: Pool) {
    this.#pool = pool
    this.#data = data
    this.#lease = lease
    this.#part = tokenPart(data, lease.account)
    this.provided = { account: lease.account.sid }
  }

  contribute(spec: Parameters<AppliedLayer['contribute']>[0]): ReturnType<AppliedLayer['contribute']> {
    return { ...spec, token: this.#part }
  }

  async verify(probe: Parameters<AppliedLayer['verify']>[0]): ReturnType<AppliedLayer['verify']> {
    return [...(await verifyToken(this.#part, this.#data, probe)), ...(await verifyAccount(this.#lease.account, this.#pool.list(), probe))]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease[Symbol.asyncDispose]()
  }
}
