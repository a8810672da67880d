import type { LayerPlugin, RestrictedToken } from '../../../core/contracts/index.ts'
import tokenNone from '../../../plugins/token-none/index.ts'
import { restrictedToken } from './specs.ts'

/** A token layer that does nothing but restrict: what a filesystem layer needs of one. */
export function restrictedTokenLayer(more: Partial<RestrictedToken> = {}): LayerPlugin {
  return {
    ...(tokenNone as LayerPlugin),
    id: 'token-test',
    provides: ['restricting-sids'],
    plan: () => ({ plugin: 'token-test', layer: 'token', tier: 'none', enforces: [], unsupported: [], steps: ['restrict'], data: null }),
    apply: async () => ({
      contribute: (spec) => ({ ...spec, token: restrictedToken(more) }),
      verify: async () => [],
      [Symbol.asyncDispose]: async () => undefined,
    }),
  }
}
