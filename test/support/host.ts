import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Uid and gid of the ordinary user that tests become by setpriv(1); nobody has it on a fresh machine. */
export const ordinaryUser = { uid: 1234, gid: 1234 }

/** The repository under test. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Prefix that runs a command as the ordinary user. Needs the capability `ordinary-user`. */
export const asOrdinaryUser = ['setpriv', `--reuid=${ordinaryUser.uid}`, `--regid=${ordinaryUser.gid}`, '--clear-groups', '--'] as const

const checks = {
  root: () => process.getuid?.() === 0,
  /** We are root, can become somebody else, and that user can read this checkout. */
  'ordinary-user': () => process.getuid?.() === 0 && succeeds([...asOrdinaryUser, 'test', '-r', join(packageRoot, 'package.json')]),
  'user-namespace': () => succeeds(['unshare', '--user', '--map-root-user', '--mount', '--net', '--pid', '--fork', 'true']),
  bwrap: () => succeeds(['bwrap', '--version']),
  curl: () => succeeds(['curl', '--version']),
  /** Debian's own: a version manager's shim in somebody's home is not there for another user. */
  python3: () => succeeds(['/usr/bin/python3', '--version']),
  strace: () => succeeds(['strace', '--version']),
  cc: () => succeeds(['cc', '--version']),
  tty: () => readable('/dev/ptmx'),
} satisfies Record<string, () => boolean>

export type Capability = keyof typeof checks

const known = new Map<Capability, boolean>()

/** True when this machine has `capability`. What CI requires is checked by `test/host.it.test.ts`, so a skip cannot pass as green. */
export function hostHas(capability: Capability): boolean {
  const answer = known.get(capability) ?? checks[capability]()
  known.set(capability, answer)
  return answer
}

/** Capabilities named in BULKHEAD_TEST_REQUIRES (comma-separated); throws on a name that does not exist. */
export function requiredCapabilities(): readonly Capability[] {
  const names = (process.env['BULKHEAD_TEST_REQUIRES'] ?? '').split(',').filter((name) => name !== '')
  const unknown = names.filter((name) => !Object.hasOwn(checks, name))
  if (unknown.length > 0) throw new Error(`BULKHEAD_TEST_REQUIRES names unknown capabilities: ${unknown.join(', ')}`)
  return names as Capability[]
}

function succeeds(argv: readonly string[]): boolean {
  const [program = '', ...rest] = argv
  try {
    execFileSync(program, rest, { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
