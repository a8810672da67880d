import { z } from 'zod'
import type { Claim, LayerPlan, Policy } from '../../core/contracts/index.ts'
import type { TokenOptions } from './options.ts'

const dataShape = z.object({
  tier: z.enum(['blind', 'write-restricted']),
  integrity: z.enum(['low', 'medium']),
  privateDesktop: z.boolean(),
  sessionObjects: z.boolean(),
  memoryBytes: z.number().nullable(),
  cpuPercent: z.number().nullable(),
})

/** What a plan keeps of policy and options. */
export type TokenData = z.infer<typeof dataShape>

export function readTokenData(data: unknown): TokenData {
  return dataShape.parse(data)
}

export function tokenData({ tier, integrity, privateDesktop, sessionObjects, memory, cpu }: TokenOptions): TokenData {
  return {
    tier,
    integrity: integrity ?? (tier === 'blind' ? 'low' : 'medium'),
    privateDesktop,
    sessionObjects,
    memoryBytes: memory === null ? null : memory * 2 ** 20,
    cpuPercent: cpu,
  }
}

const always = {
  'privileges-removed': 'It has no privilege but that of passing through directories, and can enable no other.',
  'groups-deny-only': 'Groups with power over the machine count only where they deny.',
  'born-in-job': 'Every process of it is in a job object that ends with Bulkhead, and none can be started outside.',
  'supervisor-closed': 'Bulkhead’s own processes are closed to it, their memory and their tokens too.',
  'own-objects': 'What it makes is guarded with the SID of this launch, which no other agent has.',
} as const

const conditional = {
  'host-processes-closed': 'It can change, read and end no process outside its own.',
  'host-processes-unchangeable': 'It can change no process outside its own.',
  'access-checked-twice': 'Each access must be granted to the user and to the SIDs of this job as well.',
  'changes-checked-twice': 'Each change must be granted to the user and to the SIDs of this job as well.',
  'low-integrity': 'It runs at low integrity, below everything of the user.',
  'own-desktop': 'It is on a desktop of its own.',
} as const

export type TokenClaim = keyof typeof always | keyof typeof conditional

/**
 * Whether the user's other processes are closed altogether. Reading and ending one are no changes to Windows (“Windows Integrity Mechanism
 * Design”), and both are usually open to the logon's SID.
 */
function isClosed({ tier, sessionObjects }: TokenData): boolean {
  return tier === 'blind' && !sessionObjects
}

export function tokenClaims(data: TokenData): readonly (Claim & { readonly id: TokenClaim })[] {
  const wanted: Record<keyof typeof conditional, boolean> = {
    'host-processes-closed': isClosed(data),
    'host-processes-unchangeable': !isClosed(data),
    'access-checked-twice': data.tier === 'blind',
    'changes-checked-twice': data.tier === 'write-restricted',
    'low-integrity': data.integrity === 'low',
    'own-desktop': data.privateDesktop,
  }
  const texts: Record<string, string> = { ...always, ...conditional }
  const ids = [...Object.keys(always), ...Object.keys(conditional).filter((id) => wanted[id as keyof typeof conditional])]
  return ids.map((id) => ({ id: id as TokenClaim, text: texts[id] ?? '' }))
}

/** Weaker than what the layer is for, and named so: an agent that reads as its user, or may write where everybody may. */
export function tokenTier({ tier, integrity, privateDesktop, sessionObjects }: TokenData): LayerPlan['tier'] {
  return tier === 'blind' && integrity === 'low' && privateDesktop && !sessionObjects ? 'full' : 'partial'
}

/** What the policy wants and such a token cannot give. */
export function tokenUnsupported({ filesystem }: Policy, { tier }: TokenData): readonly string[] {
  if (tier === 'blind') return []
  return filesystem.deny.map((path) => `filesystem.deny "${path}": a write-restricted token reads what its user can read`)
}

export function tokenSteps({ limits }: Policy, data: TokenData): readonly string[] {
  const { memoryBytes, cpuPercent } = data
  return [
    'restricted token: privileges removed, powerful groups deny-only, restricting SIDs of the workspace, of this launch, Users and RESTRICTED',
    data.tier === 'blind'
      ? 'both halves of each access check apply to reading too'
      : 'the second half of each access check applies to changes',
    `${data.integrity} integrity; what it makes belongs to this launch`,
    `job object: ends with Bulkhead, cannot be left${data.privateDesktop ? '; a window station and a desktop of its own' : ''}`,
    ...(limits.processes === null ? [] : [`at most ${limits.processes} processes`]),
    ...(limits.openFiles === null ? [] : [`a process with more than ${limits.openFiles} handles is ended; it is looked at twice a second`]),
    ...(memoryBytes === null ? [] : [`at most ${memoryBytes / 2 ** 20} MiB of memory`]),
    ...(cpuPercent === null ? [] : [`at most ${cpuPercent} % of the processors`]),
    ...weaknesses(data).map((text) => `not held: ${text}`),
  ]
}

function weaknesses(data: TokenData): readonly string[] {
  const { tier, integrity, privateDesktop, sessionObjects } = data
  return [
    ...(tier === 'blind' ? [] : ['it reads all that its user can read, memory of programs included']),
    ...(isClosed(data) ? [] : ['it can end programs of its user']),
    ...(integrity === 'low' ? [] : ['it may write where every user of the machine may']),
    ...(privateDesktop ? [] : ['it shares the desktop of whoever started Bulkhead']),
    ...(sessionObjects ? ['objects that programs of the user share by name, and the user’s desktop, are open to it'] : []),
  ]
}
