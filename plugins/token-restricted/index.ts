import type { AppliedLayer, Availability, Host, LayerPlan, LayerPlugin, Policy, RestrictedToken } from '../../core/contracts/index.ts'
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

const pluginId = 'token-restricted'

/**
 * A restricted token of the user who runs Bulkhead (Win32: CreateRestrictedToken). Needs no set-up and no rights. The agent stays the same
 * user for everything that asks only who somebody is: filters of the network above all, which is why the environment needs another layer
 * for that, or says that it has none.
 */
const plugin: LayerPlugin<TokenOptions> = {
  id: pluginId,
  layer: 'token',
  contract: 1,
  options: tokenOptions,
  provides: ['restricting-sids'],
  requires: ['workspace-grants'],
  probe,
  plan,
  apply: (applied) => Promise.resolve(new AppliedToken(readTokenData(applied.data))),
  // Token, job and desktop are objects of the kernel and end with the launcher; nothing else is touched, so no receipt is ever written.
  recover: () => Promise.resolve(),
}

export default plugin

async function probe(host: Host): Promise<Availability> {
  if (host.platform !== 'win32') {
    return { usable: false, reason: 'restricted tokens are a feature of Windows', remedy: 'Choose another token layer.' }
  }
  for (const feature of ['job-object', 'restricted-token'] as const) {
    const { ok, reason } = await host.can(feature)
    if (ok) continue
    const remedy = 'Start Bulkhead as an ordinary user, outside every other sandbox; if it is, this system cannot confine anybody.'
    return { usable: false, reason: `${feature}: ${reason}`, remedy }
  }
  return { usable: true, tier: 'full', detail: 'your account with a restricted token, in a job object of its own' }
}

function plan(policy: Policy, options: TokenOptions): LayerPlan {
  const data = tokenData(options)
  return {
    plugin: pluginId,
    layer: 'token',
    tier: tokenTier(data),
    enforces: tokenClaims(data).map(({ id, text }) => ({ id, text })),
    unsupported: tokenUnsupported(policy, data),
    steps: tokenSteps(policy, data),
    data,
  }
}

class AppliedToken implements AppliedLayer {
  readonly #data: TokenData
  readonly #part: RestrictedToken

  constructor(data: TokenData) {
    this.#data = data
    this.#part = tokenPart(data, null)
  }

  contribute(spec: Parameters<AppliedLayer['contribute']>[0]): ReturnType<AppliedLayer['contribute']> {
    return { ...spec, token: this.#part }
  }

  verify(attempts: Parameters<AppliedLayer['verify']>[0]): ReturnType<AppliedLayer['verify']> {
    return verifyToken(this.#part, this.#data, attempts)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}
