import { randomBytes } from 'node:crypto'
import { attackAll, refused } from '../../core/contracts/index.ts'
import type { Attack, Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { credentialNames, inside, systemDirectories } from './constants.ts'
import { isSameOrInside, isSameOrInsideAny } from './paths.ts'
import type { ViewClaim } from './plan.ts'
import type { Shown } from './view.ts'

/** What is attacked, gathered when the layer was applied. */
export interface Targets {
  readonly claims: readonly string[]
  readonly canary: string
  /** Files and directories in the user's home that exist and must not be visible. */
  readonly homeEntries: readonly string[]
  /** The policy's own `read` and `write`. */
  readonly shownByPolicy: readonly string[]
  readonly workspace: string
  /** The user's git directories. */
  readonly repositories: readonly string[]
  readonly hidden: readonly string[]
}

const absent = ['ENOENT', 'ENOTDIR']
/** Opening what is there but closed: its own mode, a read-only mount, or Landlock. */
const closed = ['EACCES', 'EPERM', 'EROFS', ...absent]

/** Not even a policy that shows all of /etc opens these. */
const passwordHashes = ['/etc/shadow', '/etc/gshadow']
const machineSecrets = ['/etc/sudoers', '/etc/ssh', '/etc/ssl/private', '/etc/machine-id']
const kernelSettings = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger']
const mostTried = 32

/** What is to be tried for each claim; no attempts: there is nothing on this machine that it could fail for, for the given reason. */
function trials({ canary, homeEntries, shownByPolicy, workspace, repositories, hidden }: Targets): Record<ViewClaim, Trial> {
  const secrets = machineSecrets.filter((path) => !isSameOrInsideAny(path, shownByPolicy))
  // A name that nothing has: a fixed one could be taken, by another launch in the same directory or by an agent that wants to block them.
  const probeName = `.bulkhead-probe-${randomBytes(8).toString('hex')}`
  const git = `${workspace}/.git`
  return {
    'host-files-invisible': { attempts: [read(canary)], errors: absent },
    'host-home-invisible': {
      attempts: homeEntries.map(read),
      errors: absent,
      otherwise: 'the home directory holds nothing that is not shown',
    },
    'machine-secrets-unreadable': { attempts: [...passwordHashes, ...secrets].map(read), errors: closed },
    'system-read-only': {
      attempts: [...['', '/usr', '/usr/bin', '/etc'].map((directory) => create(`${directory}/${probeName}`)), write('/etc/passwd')],
      errors: closed,
    },
    'kernel-settings-read-only': { attempts: kernelSettings.map(write), errors: closed },
    'workspace-writable': {
      attempts: [workspace, inside.temporary, inside.home].map((path) => create(`${path}/${probeName}`)),
      errors: null,
    },
    'git-metadata-unreachable': {
      attempts: repositories.flatMap((path) => [read(`${path}/HEAD`), read(`${path}/config`)]),
      errors: absent,
    },
    'host-git-read-only': { attempts: [create(`${git}/${probeName}`), write(`${git}/config`)], errors: closed },
    'denied-paths-hidden': {
      attempts: hidden.slice(0, mostTried).map(read),
      errors: closed,
      otherwise: 'nothing that exists is denied',
    },
  }
}

interface Trial {
  readonly attempts: readonly Attempt[]
  /** The errors that count as refusal; null: every attempt must succeed. */
  readonly errors: readonly string[] | null
  readonly otherwise?: string
}

/** One piece of evidence for each claim of the plan. */
export async function verifyView(targets: Targets, probe: Probe): Promise<readonly Evidence[]> {
  const all = trials(targets)
  const claimed = targets.claims.map((claim) => ({ claim, trial: all[claim as ViewClaim] }))
  const evidence = await attackAll(
    probe,
    claimed.filter(({ trial }) => trial.attempts.length > 0).map(({ claim, trial }) => asAttack(claim, trial)),
  )
  return claimed.map(({ claim, trial }) => {
    const found = evidence.find((one) => one.claim === claim)
    return found ?? { claim, held: trial.otherwise !== undefined, detail: trial.otherwise ?? 'nothing was tried' }
  })
}

function asAttack(claim: string, { attempts, errors }: Trial): Attack {
  const attack = refused(claim, attempts, errors ?? [])
  if (errors !== null) return attack
  return { ...attack, judge: (outcomes: readonly Outcome[]) => ({ ...attack.judge(outcomes), held: outcomes.every(({ ok }) => ok) }) }
}

/**
 * Entries of the home directory that nothing shows, credentials first. What lies above something shown exists inside as an empty
 * directory, and the view has directories of its own.
 */
export function hiddenInHome(home: string, names: readonly string[], shown: readonly Pick<Shown, 'target'>[]): readonly string[] {
  const bound = [...shown.map(({ target }) => target), ...systemContent]
  const made = [...bound, ...ownDirectories, ...inside.homeDirectories.map((name) => `${inside.home}/${name}`)]
  const rank = (path: string): number => Number(!credentialNames.has(path.slice(home.length + 1)))
  return names
    .map((name) => (home === '/' ? `/${name}` : `${home}/${name}`))
    .filter((path) => !isSameOrInsideAny(path, bound) && !made.some((one) => isSameOrInside(one, path)))
    .toSorted((left, right) => rank(left) - rank(right))
    .slice(0, 8)
}

/** Of the host, and of the view itself: a home directory in there has no secrets of a user. */
const systemContent = [...systemDirectories, '/etc', '/proc', '/dev']
/** Exist in every view, with nothing of the host in them. */
const ownDirectories = ['/run', '/var/tmp', inside.temporary, inside.home]

function read(path: string): Attempt {
  return { op: 'read', path }
}

function write(path: string): Attempt {
  return { op: 'write', path }
}

function create(path: string): Attempt {
  return { op: 'create', path }
}
