import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path/win32'
import { attackAll, refused } from '../../core/contracts/index.ts'
import type { Attack, Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import type { Denied } from './deny-find.ts'
import { folders } from './environment.ts'
import type { AclClaim } from './plan.ts'
import type { PrivateDirectory } from './private.ts'

/** What is attacked, gathered when the layer was applied. Only what exists is named. */
export interface Targets {
  readonly claims: readonly string[]
  /** False where the agent reads as the user does. */
  readonly confined: boolean
  readonly own: PrivateDirectory
  /** Directories of the user’s in which nothing may be made, and things in the profile that must not be opened. */
  readonly userDirectories: readonly string[]
  readonly homeEntries: readonly string[]
  readonly workspace: string
  readonly gitDirectory: string | null
  /** What lies beside the tree and is Bulkhead’s. */
  readonly bookkeeping: readonly string[]
  readonly system: readonly string[]
  readonly systemFiles: readonly string[]
  readonly shared: readonly string[]
  /** Closed to changes: bulkhead.yaml, `.git`. */
  readonly policyFile: Denied
  readonly git: Denied | null
  readonly denied: readonly Denied[]
}

/** ERROR_ACCESS_DENIED: the only answer of an access list. Anything else failed by accident, and proves nothing. */
const closed = ['EACCES']
const mostTried = 32

interface Trial {
  readonly attempts: readonly Attempt[]
  /** True: every attempt must succeed. */
  readonly succeeds?: true
  /** Why there may be nothing to try. */
  readonly otherwise?: string
}

/** One piece of evidence for each claim of the plan. */
export async function verifyAcl(targets: Targets, probe: Probe): Promise<readonly Evidence[]> {
  const all = trials(targets)
  const claimed = targets.claims.map((claim) => ({ claim, trial: all[claim as AclClaim] }))
  const evidence = await attackAll(
    probe,
    claimed.filter(({ trial }) => trial.attempts.length > 0).map(({ claim, trial }) => asAttack(claim, trial)),
  )
  return claimed.map(({ claim, trial }) => {
    const found = evidence.find((one) => one.claim === claim)
    return found ?? { claim, held: trial.otherwise !== undefined, detail: trial.otherwise ?? 'nothing was tried' }
  })
}

function trials(targets: Targets): Record<AclClaim, Trial> {
  const { own, confined, workspace, gitDirectory, bookkeeping } = targets
  // A name that nothing has: a fixed one could be taken, by another launch in the same directory or by an agent that wants to block them.
  const name = `bulkhead-probe-${randomBytes(8).toString('hex')}`
  const inside = (directory: string): Attempt => create(`${directory.replace(/\\$/, '')}\\${name}`)
  const reading = (paths: readonly string[]): readonly Attempt[] => (confined ? paths.map(read) : [])
  const outer = dirname(workspace)
  return {
    'host-files-unwritable': { attempts: [write(own.secret), inside(dirname(own.secret)), ...targets.userDirectories.map(inside)] },
    'host-files-unreadable': { attempts: [own.secret, ...targets.homeEntries].map(read) },
    'other-workspaces-closed': { attempts: [...reading([own.foreign]), write(own.foreign), inside(dirname(own.foreign))] },
    'system-unwritable': { attempts: [...targets.system.map(inside), ...targets.systemFiles.map(write)] },
    'shared-directories-unwritable': { attempts: targets.shared.map(inside) },
    'workspace-usable': {
      attempts: [
        read(workspace),
        inside(workspace),
        ...(gitDirectory === null ? [] : [inside(gitDirectory)]),
        ...['', `\\${folders.temporary}`].map((folder) => inside(`${own.home}${folder}`)),
      ],
      succeeds: true,
    },
    'bookkeeping-closed': { attempts: [...reading(bookkeeping), ...bookkeeping.map(write), inside(outer)] },
    'git-metadata-closed': { attempts: targets.git === null ? [] : changing(targets.git, inside) },
    'policy-file-protected': { attempts: changing(targets.policyFile, inside) },
    'denied-paths-closed': {
      attempts: targets.denied.slice(0, mostTried).flatMap(({ path }) => [read(path), write(path)]),
      otherwise: 'nothing that exists is denied',
    },
  }
}

function changing({ path, directory }: Denied, inside: (directory: string) => Attempt): readonly Attempt[] {
  return directory ? [write(path), inside(path)] : [write(path)]
}

function asAttack(claim: string, { attempts, succeeds }: Trial): Attack {
  const attack = refused(claim, attempts, closed)
  if (succeeds !== true) return attack
  return { ...attack, judge: (outcomes: readonly Outcome[]) => ({ ...attack.judge(outcomes), held: outcomes.every(({ ok }) => ok) }) }
}

function read(path: string): Attempt {
  return { op: 'read', path }
}

function write(path: string): Attempt {
  return { op: 'write', path }
}

function create(path: string): Attempt {
  return { op: 'create', path }
}
