import type { Mutation } from './mutation.ts'

const filters = 'native/src/windows/library/wfp-filters.c'
const session = 'native/src/windows/library/wfp.c'
const kernel = 'kernel/wfp'
const recording = 'recording/wfp'

/** A layer is left out: its filter goes to another one, which has one already. */
const without = (layer: string, cases: string, instead = 'accept_v4'): Mutation => ({
  id: `wfp-${layer.replace('_', '-')}`,
  file: filters,
  from: `{&${layer}, ALL, EVERYTHING}`,
  to: `{&${instead} + 0 * sizeof(${layer}), ALL, EVERYTHING}`,
  cases,
})

/** The steps of the network layer. */
export const networkMutations: readonly Mutation[] = [
  ...['connect_v4', 'connect_v6', 'listen_v4', 'listen_v6', 'assign_v4', 'assign_v6'].map((layer) => without(layer, kernel)),
  // The double asks no filter about accepting; that the filters are there is what can be shown.
  ...['accept_v4', 'accept_v6'].map((layer) => without(layer, recording, 'connect_v4')),
  { id: 'wfp-raw', file: filters, from: '{&assign_v4, RAW, NEVERTHELESS}', to: '{&assign_v4, ALL, EVERYTHING}', cases: kernel },
  {
    id: 'wfp-gateway-address',
    file: filters,
    from: 'add(built, &remote_address, FWP_MATCH_EQUAL, FWP_UINT32)->conditionValue.uint32 = 0x7f000001;',
    to: '(void)remote_address;',
    cases: kernel,
  },
  {
    id: 'wfp-gateway-port',
    file: filters,
    from: 'add(built, &remote_port, FWP_MATCH_EQUAL, FWP_UINT16)->conditionValue.uint16 = port;',
    to: '(void)remote_port, (void)port;',
    cases: kernel,
  },
  {
    id: 'wfp-account-only',
    file: filters,
    from: 'add(built, &user_id, FWP_MATCH_EQUAL, FWP_SECURITY_DESCRIPTOR_TYPE)->conditionValue.sd = &subject->blob;',
    to: '(void)subject, (void)user_id;',
    cases: kernel,
  },
  {
    id: 'wfp-restricted-tokens',
    file: filters,
    from: 'D:P(A;;0x%x;;;%ls)(A;;0x%x;;;S-1-5-12)(A;;0x%x;;;S-1-5-33)',
    to: 'D:P(A;;0x%x;;;%ls)(A;;0x%x;;;S-1-0-0)(A;;0x%x;;;S-1-5-33)',
    cases: 'kernel/wfp-restricted',
  },
  {
    id: 'wfp-veto',
    file: filters,
    from: 'permit ? 0 : FILTER_FLAG_CLEAR_ACTION_RIGHT',
    to: '0 * FILTER_FLAG_CLEAR_ACTION_RIGHT',
    cases: recording,
  },
  {
    id: 'wfp-dynamic',
    file: session,
    from: 'session.flags = SESSION_FLAG_DYNAMIC;',
    to: 'session.flags = 0 * SESSION_FLAG_DYNAMIC;',
    cases: kernel,
  },
  {
    id: 'wfp-abort',
    file: session,
    from: 'const DWORD aborted = wall->api.transaction_abort(wall->engine);',
    to: 'const DWORD aborted = 0;',
    cases: recording,
  },
  {
    id: 'wfp-close',
    file: session,
    from: 'const DWORD closed = wall->api.engine_close(wall->engine);',
    to: 'const DWORD closed = 0;',
    cases: recording,
  },
  {
    id: 'wfp-before-launch',
    file: 'plugins/net-wfp/apply.ts',
    from: 'account === null ? null : await filtering.close(account, door.port)',
    to: 'account === null ? null : { [Symbol.asyncDispose]: () => Promise.resolve() }',
    cases: 'real/shared/net-wfp',
  },
  {
    id: 'wfp-whose-account',
    file: 'plugins/net-wfp/apply.ts',
    from: ': sid === filtering.user()',
    to: ": sid === ''",
    cases: 'real/shared/net-wfp',
  },
  {
    id: 'wfp-gateway-credentials',
    file: 'plugins/net-wfp/door.ts',
    from: "{ kind: 'proxy', credentials: this.#credentials }",
    to: "{ kind: 'proxy', credentials: null }",
    cases: 'real/shared/net-wfp',
  },
  {
    id: 'wfp-degraded-in-writing',
    file: 'plugins/net-wfp/plan.ts',
    from: 'unsupported: walled ? unsupported :',
    to: 'unsupported: walled || policy.allow.length === 0 ? unsupported :',
    cases: 'real/shared/net-wfp',
  },
]
