import type { Identity } from '../../core/contracts/index.ts'

/** First kernel id that agents of a root orchestrator get. systemd's UIDS-GIDS page lists 0x70000000-0x7fffffff as unassigned. */
export const firstAgentId = 0x7000_0000

/** How many there are: 28 bits, so that two of a thousand agents at once meet with a chance of 1 in 500. */
export const agentIdCount = 2 ** 28

/** The identity the agent believes to have. As an ordinary user a namespace can map nothing but oneself; same number, same name. */
export function insideIdentity(host: { readonly uid: number | null; readonly gid: number | null }): Identity {
  return isRoot(host) || host.uid === null || host.gid === null ? { uid: 1000, gid: 1000 } : { uid: host.uid, gid: host.gid }
}

/** Uid 0, also that of a container: it can map other ids, and it must, because kernel settings ask for the id and not for capabilities. */
export function isRoot(host: { readonly uid: number | null }): boolean {
  return host.uid === 0
}

/** The kernel identity of one agent; `random` is from 0 up to `agentIdCount`. */
export function agentIdentity(random: number): Identity {
  if (!Number.isInteger(random) || random < 0 || random >= agentIdCount) throw new RangeError(`${random} is no offset of an agent id`)
  return { uid: firstAgentId + random, gid: firstAgentId + random }
}

/**
 * True when every agent id exists in the user namespace whose /proc/self/uid_map (user_namespaces(7)) is given: in a container with a
 * remapped root it usually does not, and mapping it would fail with EPERM.
 */
export function mapsAgentIds(idMap: string): boolean {
  const ranges = idMap
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = Number.NaN, , count = Number.NaN]) => ({ first, end: first + count }))
  return ranges.some(({ first, end }) => first <= firstAgentId && end >= firstAgentId + agentIdCount)
}
