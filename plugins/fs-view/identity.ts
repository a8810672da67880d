import type { Identity } from '../../core/contracts/index.ts'

interface Caller {
  readonly uid: number | null
  readonly gid: number | null
}

/**
 * The identity that a token layer with `agent-identity` gives the agent: 1000 where Bulkhead is root, the caller's own otherwise. Here it
 * only makes names out of numbers (/etc/passwd).
 */
export function agentInside({ uid, gid }: Caller): Identity {
  return uid === 0 || uid === null || gid === null ? { uid: 1000, gid: 1000 } : { uid, gid }
}

/**
 * The owner that must appear as the agent. Where Bulkhead is root the agent has a kernel uid that owns nothing on disk, so every shown
 * directory of somebody else's is mapped; as an ordinary user what is the caller's is the agent's already.
 */
export function mappedOwner({ uid }: Caller, owner: Identity): Identity | null {
  return uid === 0 ? { uid: owner.uid, gid: owner.gid } : null
}
