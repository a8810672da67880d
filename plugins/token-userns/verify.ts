import { attackAll, describeAttempts, refused } from '../../core/contracts/index.ts'
import type { Attack, Attempt, Evidence, Probe, UserNamespaceToken } from '../../core/contracts/index.ts'
import type { TokenClaim } from './plan.ts'

/** proc_pid_status(5): hexadecimal masks of the inheritable, permitted, effective, bounding and ambient set. */
const capabilitySets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']

/**
 * Settings that the kernel guards by uid 0 of the machine and not by a capability. The attempt opens without O_TRUNC: a wall may refuse
 * truncating alone, and then a shell's `>` fails while a plain open would succeed.
 */
const kernelSettings = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sysrq-trigger']

/** Ways to make a file with a set-id bit; openat2 has its mode in memory, which no filter can look at. */
const setIdCalls = [
  'set-id-fchmod',
  'set-gid-fchmod',
  'set-id-fchmodat',
  'set-id-fchmodat2',
  'set-id-openat',
  'set-id-tmpfile',
  'set-id-mknodat',
]

const refusals = ['EACCES', 'EPERM', 'EROFS', 'ENOENT']

/** What the host knows of the sandbox that is attacked. */
export interface Surroundings {
  /** Processes outside the sandbox that exist. */
  readonly hostPids: readonly number[]
  /** The sandbox's first process as the host numbers it. */
  readonly ownHostPid: number
}

/** Inside the sandbox the first few numbers are its own processes, so a host pid this small would prove nothing. */
const smallestTellingPid = 8

/** Attacks on every claim of the plan. */
export function tokenAttacks(part: UserNamespaceToken, { hostPids, ownHostPid }: Surroundings): readonly Attack[] {
  const attacks: TokenAttack[] = [
    status('no-capabilities', capabilitySets, (value) => /^0+$/.test(value)),
    status('no-new-privileges', ['NoNewPrivs'], (value) => value === '1'),
    notHostRoot(part),
    together('no-set-id-files', [
      refused(
        'no-set-id-files',
        setIdCalls.map((name) => ({ op: 'syscall', name })),
        ['EPERM'],
      ),
      refused('no-set-id-files', [{ op: 'syscall', name: 'openat2' }], ['ENOSYS']),
    ]),
    // The host's number for its own first process means nothing inside.
    gone('own-pid-namespace', signals([ownHostPid])),
    gone('host-processes-untouchable', signals([...hostPids, ownHostPid])),
    // proc_pid_status(5): the session's leader in each nested pid namespace; one from outside has the number 0 in the innermost.
    status('own-session', ['NSsid'], (value) => Number(value.split(/\s+/).at(-1)) > 0),
  ]
  if (part.outside !== null) attacks.push(status('no-groups', ['Groups'], (value) => value === ''))
  return attacks
}

export function verifyToken(part: UserNamespaceToken, surroundings: Surroundings, probe: Probe): Promise<readonly Evidence[]> {
  return attackAll(probe, tokenAttacks(part, surroundings))
}

function signals(pids: readonly number[]): readonly Attempt[] {
  return pids.filter((pid) => pid >= smallestTellingPid).map((pid) => ({ op: 'signal', pid }))
}

type TokenAttack = Attack & { readonly claim: TokenClaim }

function status(claim: TokenClaim, fields: readonly string[], good: (value: string) => boolean): TokenAttack {
  const attempts = fields.map((field): Attempt => ({ op: 'status', field }))
  return {
    claim,
    attempts,
    judge: (outcomes) => ({
      held: outcomes.every(({ ok, value }) => ok && good((value ?? '').trim())),
      detail: describeAttempts(attempts, outcomes),
    }),
  }
}

function gone(claim: TokenClaim, attempts: readonly Attempt[]): TokenAttack {
  return { ...refused(claim, attempts, ['ESRCH']), claim }
}

/** All four uids are the agent's, the kernel knows it by the uid it was given, and does not take it for root. */
function notHostRoot(part: UserNamespaceToken): TokenAttack {
  const { uid } = part.inside
  const kernelUid = part.outside?.uid ?? uid
  return together('not-host-root', [
    status('not-host-root', ['Uid'], (value) => value.split(/\s+/).every((one) => Number(one) === uid)),
    status('not-host-root', ['ids'], (value) => kernelUid !== 0 && mappedUid(value) === kernelUid),
    refused(
      'not-host-root',
      kernelSettings.map((path) => ({ op: 'write', path })),
      refusals,
    ),
  ])
}

/** `ids` is `uid gid | uid_map | gid_map`; a map is `inside outside count` (user_namespaces(7)). */
function mappedUid(ids: string): number {
  const [, map = ''] = ids.split('|')
  return Number(map.trim().split(/\s+/)[1])
}

function together(claim: TokenClaim, attacks: readonly Attack[]): TokenAttack {
  return {
    claim,
    attempts: attacks.flatMap(({ attempts }) => attempts),
    judge: (outcomes) => {
      let next = 0
      const parts = attacks.map(({ attempts, judge }) => judge(outcomes.slice(next, (next += attempts.length))))
      return { held: parts.every(({ held }) => held), detail: parts.map(({ detail }) => detail).join('; ') }
    },
  }
}
