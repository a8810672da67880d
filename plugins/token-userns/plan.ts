import { z } from 'zod'
import type { Claim, Host, LayerPlan, Policy } from '../../core/contracts/index.ts'
import { insideIdentity, isRoot } from './identity.ts'
import type { TokenOptions } from './options.ts'

export const pluginId = 'token-userns'

const dataShape = z.object({
  inside: z.object({ uid: z.number(), gid: z.number() }),
  /** `random`: a kernel id of its own, chosen at launch. `own`: the caller's. */
  outside: z.enum(['random', 'own']),
  hostname: z.string(),
})

export type TokenData = z.infer<typeof dataShape>

export function readData(data: unknown): TokenData {
  return dataShape.parse(data)
}

/** Claims that hold for every caller; `no-groups` is added where the caller can drop its groups. */
const claims = {
  'no-capabilities': 'The agent has no capability and can gain none.',
  'no-new-privileges': 'No program that it starts gains privileges (set-id bits, file capabilities).',
  'not-host-root': 'It is not root, neither as it sees itself nor for the kernel’s settings.',
  'no-set-id-files': 'It can leave no file behind that runs as its owner for whoever starts it (set-id bits).',
  'own-pid-namespace': 'It sees no process but its own, and its tree ends with its first process.',
  'host-processes-untouchable': 'It can signal no process outside the sandbox.',
  'own-session': 'It has a session of its own and no way to the caller’s terminal through it.',
} as const

export type TokenClaim = keyof typeof claims | 'no-groups'

export function planToken(policy: Policy, options: TokenOptions, host: Host): LayerPlan {
  const root = isRoot(host)
  const inside = insideIdentity(host)
  const enforces: Claim[] = Object.entries(claims).map(([id, text]) => ({ id, text }))
  if (root) enforces.push({ id: 'no-groups', text: 'It is in no supplementary group.' })
  const data: TokenData = { inside, outside: root ? 'random' : 'own', hostname: options.hostname }
  return { plugin: pluginId, layer: 'token', tier: 'full', enforces, unsupported: [], steps: steps(policy, data), data }
}

function steps(policy: Policy, { inside, outside, hostname }: TokenData): readonly string[] {
  const { processes, openFiles } = policy.limits
  return [
    `user namespace of its own: uid ${inside.uid} inside is ${outside === 'random' ? 'a random unassigned uid' : 'your own uid'} for the kernel`,
    `pid, ipc, uts and cgroup namespaces of its own, host name "${hostname}"`,
    'no capabilities, no_new_privs, own session and keyring, no inherited descriptors',
    'no set-id bits on files, no core files, also not for a handler of the host',
    ...(outside === 'own' ? ['your supplementary groups stay: an ordinary user cannot drop them'] : []),
    ...(processes === null ? [] : [`at most ${processes} processes and threads`]),
    ...(openFiles === null ? [] : [`at most ${openFiles} open files in a process`]),
  ]
}
