import { randomInt } from 'node:crypto'
import { lstatSync } from 'node:fs'
import type {
  CommandPart,
  Identity,
  LaunchSpec,
  MountView,
  NetworkNamespace,
  UserNamespaceToken,
  ViewEntry,
} from '../../core/contracts/index.ts'

/** No layer contributed anything: a plain child process. */
export const bareParts: Omit<LaunchSpec, 'command'> = {
  token: null,
  filesystem: null,
  network: null,
  interception: null,
  limits: { processes: null, openFiles: null },
}

export function command(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): CommandPart {
  return { argv, directory: '/', environment: { PATH: '/usr/bin:/bin', ...environment } }
}

export function shell(script: string): CommandPart {
  return command(['/bin/sh', '-c', script])
}

/** What the caller of this process must use: a kernel identity of its own where it is root. */
export function token(): UserNamespaceToken {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const kernel = 0x7000_0000 + randomInt(2 ** 28)
  const root = uid === 0
  const inside: Identity = root ? { uid: 1000, gid: 1000 } : { uid, gid }
  return { mechanism: 'linux-userns', inside, outside: root ? { uid: kernel, gid: kernel } : null, hostname: 'cell' }
}

const systemLinks = ['/bin', '/sbin', '/lib', '/lib64'].filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())

/** /usr, /proc, /dev and a /tmp; `more` follows in order. */
export function view(...more: readonly ViewEntry[]): MountView {
  return {
    mechanism: 'linux-view',
    entries: [
      { kind: 'bind', source: '/usr', target: '/usr', writable: false, owner: null, optional: false },
      ...systemLinks.map((target): ViewEntry => ({ kind: 'symlink', target, to: `usr${target}` })),
      { kind: 'proc', target: '/proc' },
      { kind: 'dev', target: '/dev', shmBytes: 1 << 20 },
      { kind: 'tmpfs', target: '/tmp', sizeBytes: 1 << 22, mode: 0o1777 },
      ...more,
    ],
    landlock: null,
  }
}

/** A writable bind that the agent owns whoever runs this. */
export function workspace(source: string, target = source): ViewEntry {
  const owner = process.getuid?.() === 0 ? { uid: 0, gid: 0 } : null
  return { kind: 'bind', source, target, writable: true, owner, optional: false }
}

export const loopback: NetworkNamespace = { mechanism: 'linux-netns', anyAddress: true, listeners: [] }

/** Every layer. */
export function walls(): Omit<LaunchSpec, 'command'> {
  return {
    ...bareParts,
    token: token(),
    filesystem: { ...view(), landlock: { read: ['/'], write: ['/tmp', '/dev', '/proc'] } },
    network: loopback,
    interception: { mechanism: 'linux-seccomp', rules: [] },
  }
}
