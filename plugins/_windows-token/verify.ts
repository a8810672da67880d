import { attackAll, describeAttempts, refused } from '../../core/contracts/index.ts'
import type { Attack, Attempt, Evidence, Probe, RestrictedToken } from '../../core/contracts/index.ts'
import { tokenClaims } from './plan.ts'
import type { TokenClaim, TokenData } from './plan.ts'

/** ERROR_ACCESS_DENIED: the only answer of an access list or a level. Another error may be an accident, and proves nothing. */
const denied = ['EACCES']

/** ERROR_PRIVILEGE_NOT_HELD. */
const notHeld = ['EPERM']

/** Privileges with which a process could take over the machine or other processes (“Privilege Constants”). */
const dangerous = [
  'SeDebugPrivilege',
  'SeImpersonatePrivilege',
  'SeTakeOwnershipPrivilege',
  'SeBackupPrivilege',
  'SeRestorePrivilege',
  'SeShutdownPrivilege',
]

/** JOBOBJECT_BASIC_LIMIT_INFORMATION: what the sandbox's job must never have. */
const breakaway = 0x800 | 0x1000

/** S-1-16-4096: low mandatory level. */
const lowLevel = 4096

export interface Surroundings {
  readonly part: RestrictedToken
  /** The claims of the plan; each gets its piece of evidence. */
  readonly claims: readonly TokenClaim[]
  /** Processes outside the sandbox. */
  readonly prey: Prey
}

interface Prey {
  /** Bulkhead itself. */
  readonly orchestrator: number
  /** Its launcher. */
  readonly supervisor: number
  /** One of the user that has nothing to do with Bulkhead. */
  readonly bystander: number
}

export async function verifyToken(part: RestrictedToken, data: TokenData, probe: Probe): Promise<readonly Evidence[]> {
  const [supervisor, bystander] = await probe.attempt([status('supervisor'), status('bystander')])
  const prey = { orchestrator: process.pid, supervisor: Number(supervisor?.value), bystander: Number(bystander?.value) }
  return attackAll(probe, tokenAttacks({ part, claims: tokenClaims(data).map(({ id }) => id), prey }))
}

export function tokenAttacks(surroundings: Surroundings): readonly Attack[] {
  const all = attacksByClaim(surroundings)
  return surroundings.claims.map((claim) => ({ ...all[claim], claim }))
}

type Judged = Omit<Attack, 'claim'>

function attacksByClaim({ part, prey }: Surroundings): Record<TokenClaim, Judged> {
  const { orchestrator, supervisor, bystander } = prey
  return {
    'privileges-removed': together(
      fact('privileges', (value) => value === 'SeChangeNotifyPrivilege'),
      refused(
        '',
        dangerous.map((name) => call(`privilege ${name}`)),
        notHeld,
      ),
    ),
    'groups-deny-only': fact('powerful-groups', (value) => value === ''),
    'born-in-job': together(
      fact('job', (value) => /^0x[0-9A-F]+$/.test(value) && (Number(value) & breakaway) === 0),
      closed([call('breakaway')]),
    ),
    'host-processes-closed': closed([endOf(bystander), readOf(bystander), call(`open-token ${bystander}`)]),
    'host-processes-unchangeable': closed([call(`change-process ${bystander}`)]),
    'supervisor-closed': closed([supervisor, orchestrator].flatMap((pid) => [endOf(pid), readOf(pid), call(`open-token ${pid}`)])),
    'own-objects': fact('default-dacl', (value) => isGuarded(value, part.launchSid)),
    'access-checked-twice': restrictedTo(part),
    'changes-checked-twice': restrictedTo(part),
    'low-integrity': fact('integrity', (value) => Number(value) <= lowLevel && value !== ''),
    'own-desktop': fact('desktop', (value) => /\\bulkhead-[0-9a-f]{32}$/.test(value)),
  }
}

const status = (field: string): Attempt => ({ op: 'status', field })
const call = (name: string): Attempt => ({ op: 'syscall', name })
const endOf = (pid: number): Attempt => ({ op: 'signal', pid })
const readOf = (pid: number): Attempt => call(`read-process ${pid}`)
const closed = (attempts: readonly Attempt[]): Judged => refused('', attempts, denied)

/** The workspace's SID stands first where a filesystem layer has one; it is that layer's to attack. */
function restrictedTo({ launchSid, restricting }: RestrictedToken): Judged {
  const expected = [launchSid, ...restricting.map((sid) => (sid === 'logon' ? 'S-1-5-5-' : sid))]
  const matches = (sids: readonly string[]): boolean =>
    sids.length === expected.length && sids.every((sid, index) => (sid.startsWith('S-1-5-5-') ? 'S-1-5-5-' : sid) === expected[index])
  return together(
    fact('restricted', (value) => value === 'yes'),
    fact('restricting-sids', (value) => {
      const sids = value.split(' ')
      return matches(sids) || (matches(sids.slice(1)) && (sids[0] ?? '').startsWith('S-1-5-21-'))
    }),
  )
}

/** Nobody is let in but SYSTEM, the launch, and one account: the agent's own user, for the first half of the check. */
function isGuarded(sddl: string, launchSid: string): boolean {
  const entries = [...sddl.matchAll(/\(([^)]*)\)/g)].map(([, entry = '']) => entry.split(';'))
  const trustees = entries.map((fields) => fields[5] ?? '')
  const users = trustees.filter((trustee) => trustee !== 'SY' && trustee !== launchSid)
  return trustees.includes(launchSid) && users.length === 1 && /^(?:S-1-5-21-[0-9-]+|LA)$/.test(users[0] ?? '')
}

function fact(field: string, good: (value: string) => boolean): Judged {
  const attempts = [status(field)]
  return {
    attempts,
    judge: (outcomes) => ({
      held: outcomes.every(({ ok, value }) => ok && good(value ?? '')),
      detail: describeAttempts(attempts, outcomes),
    }),
  }
}

function together(...parts: readonly Judged[]): Judged {
  return {
    attempts: parts.flatMap(({ attempts }) => attempts),
    judge: (outcomes) => {
      let next = 0
      const verdicts = parts.map(({ attempts, judge }) => judge(outcomes.slice(next, (next += attempts.length))))
      return { held: verdicts.every(({ held }) => held), detail: verdicts.map(({ detail }) => detail).join('; ') }
    },
  }
}
