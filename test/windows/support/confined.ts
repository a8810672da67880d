/** The doubles' own programs (`test/windows/double/selftest/`), for the cases that test the doubles themselves. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The SID of the workspace and of the launch that the cases use, and Wine's one user. */
export const sids = {
  workspace: 'S-1-5-21-11-22-33-44',
  launch: 'S-1-5-21-55-66-77-88',
  user: 'S-1-5-21-0-0-0-1000',
  users: 'S-1-5-32-545',
}

export const selftest = (name: string): string => join(process.env['BULKHEAD_STAGE'] ?? '', 'double', `${name}.exe`)

/** Quoted for CommandLineToArgvW; what the cases pass holds no quotes and does not end in a backslash. */
const quoted = (text: string): string => `"${text}"`

/** Lines of a program that prints one for each act: `act TAB ok-or-error-number`. */
export function outcomes(output: string): ReadonlyMap<string, string> {
  const lines = output.split(/\r?\n/).filter((line) => line.includes('\t'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf('\t')), line.slice(line.lastIndexOf('\t') + 1)]))
}

/** Ways to be confined: options of `confine.exe`. */
export const tiers = {
  /** Reads are checked twice, at low integrity. */
  blind: [
    '--restrict',
    sids.workspace,
    '--restrict',
    sids.launch,
    '--restrict',
    sids.users,
    '--restrict',
    'S-1-5-12',
    '--deny-only',
    'S-1-5-32-544',
    '--flags',
    '1',
    '--integrity',
    '4096',
    '--default-dacl',
    `D:(A;;GA;;;${sids.user})(A;;GA;;;S-1-5-18)(A;;GA;;;${sids.launch})`,
  ],
  /** Only writes are. */
  writing: [
    '--restrict',
    sids.workspace,
    '--restrict',
    sids.launch,
    '--deny-only',
    'S-1-5-32-544',
    '--flags',
    '9',
    '--default-dacl',
    `D:(A;;GA;;;${sids.user})(A;;GA;;;S-1-5-18)(A;;GA;;;${sids.launch})`,
  ],
} as const

/** Runs `confine.exe`; what it prints. Options end before `--`. */
export function confine(options: readonly string[], command: readonly string[] = []): string {
  const line = command.length === 0 ? [] : ['--', command.map(quoted).join(' ')]
  return execFileSync(selftest('confine'), [...options, ...line], { encoding: 'utf8' })
}

/** What came of each attempt. */
export function attempt(options: readonly string[], attempts: readonly string[]): ReadonlyMap<string, string> {
  return outcomes(confine(options, [selftest('attempts'), ...attempts]))
}

/** A directory of the user's with prey in it, and a workspace with a protected directory. */
export class Ground implements Disposable {
  readonly outside: string
  readonly workspace: string
  readonly #root: string

  constructor() {
    mkdirSync(homedir(), { recursive: true })
    this.#root = mkdtempSync(join(homedir(), 'ground-'))
    this.outside = join(this.#root, 'outside')
    this.workspace = join(this.#root, 'ws')
    mkdirSync(this.outside)
  }

  /** Options that make the workspace and say whose it is. `--lenient`: bare Wine cannot set a label, and that is no failure of the control. */
  open(): readonly string[] {
    const full = `(A;OICI;FA;;;${sids.user})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`
    const host = join(this.workspace, '.git')
    return [
      '--lenient',
      '--mkdir',
      this.workspace,
      '--sd',
      this.workspace,
      `D:P${full}(A;OICI;0x1301bf;;;${sids.workspace})S:(ML;OICI;NW;;;LW)`,
      '--mkdir',
      host,
      '--sd',
      host,
      `D:P${full}`,
    ]
  }

  prey(name: string): string {
    const path = join(this.outside, name)
    writeFileSync(path, 'prey')
    return path
  }

  emptyDirectory(name: string): string {
    const path = join(this.outside, name)
    mkdirSync(path)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
