import { randomBytes } from 'node:crypto'
import type { AgentAccount, RestrictedToken } from '../../core/contracts/index.ts'
import type { TokenData } from './plan.ts'

/**
 * BUILTIN\Users opens what every user of the machine may read, RESTRICTED the devices and directories that every process needs (well-known
 * SIDs, learn.microsoft.com). Not Everyone, the user or the logon: what is open to those is what the agent is to be kept from.
 */
const everyProcess = ['S-1-5-32-545', 'S-1-5-12'] as const

/** 128 random bits in the form of an account's SID. No account has it; only access lists and tokens of one launch name it. */
export function launchSid(bytes: Buffer = randomBytes(16)): string {
  return ['S-1-5-21', ...[0, 4, 8, 12].map((at) => bytes.readUInt32LE(at))].join('-')
}

export function tokenPart(data: TokenData, account: AgentAccount | null): RestrictedToken {
  const { tier, integrity, privateDesktop, sessionObjects, memoryBytes, cpuPercent } = data
  const restricting = [...everyProcess, ...(sessionObjects ? ['logon'] : [])]
  return {
    mechanism: 'windows-restricted',
    tier,
    launchSid: launchSid(),
    restricting,
    integrity,
    privateDesktop,
    memoryBytes,
    cpuPercent,
    account,
  }
}
