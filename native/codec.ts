import type { Attempt, FilesystemPart, LaunchSpec, Outcome, Stdio, ViewEntry } from '../core/contracts/index.ts'
import { errorName } from './error.ts'
import { FrameWriter } from './frame.ts'
import type { FrameReader } from './frame.ts'

/** Message types of `include/bulkhead.h`. */
export const message = {
  launch: 1,
  probe: 2,
  attempt: 10,
  start: 11,
  kill: 12,
  signal: 13,
  resize: 14,
  held: 20,
  outcomes: 21,
  started: 22,
  execFailed: 23,
  intercepted: 24,
  gone: 25,
  error: 26,
  answer: 27,
} as const

const stdioKinds = { pipes: 0, inherit: 1, terminal: 2 } as const
const attemptOps = { read: 1, write: 2, create: 3, connect: 4, syscall: 5, signal: 6, status: 7 } as const

/** A BH_LAUNCH frame. Mirrors `src/linux/spec.c` field by field. */
export function encodeLaunch(spec: LaunchSpec, stdio: Stdio): Uint8Array {
  const w = new FrameWriter(message.launch)
  w.u8(stdioKinds[stdio.kind])
  w.u32(stdio.kind === 'terminal' ? stdio.columns : 0)
  w.u32(stdio.kind === 'terminal' ? stdio.rows : 0)

  const { command, token, filesystem, network, interception, limits } = spec
  w.texts(command.argv)
  w.text(command.directory)
  w.texts(Object.entries(command.environment).map(([name, value]) => `${name}=${value}`))

  w.bool(token !== null)
  if (token !== null) {
    w.u32(token.inside.uid)
    w.u32(token.inside.gid)
    w.bool(token.outside !== null)
    if (token.outside !== null) {
      w.u32(token.outside.uid)
      w.u32(token.outside.gid)
    }
    w.text(token.hostname)
  }

  w.bool(filesystem !== null)
  if (filesystem !== null) encodeView(w, filesystem)

  w.bool(network !== null)
  if (network !== null) {
    w.bool(network.anyAddress)
    w.u32(network.listeners.length)
    for (const { protocol, port } of network.listeners) {
      w.u8(protocol === 'udp' ? 1 : 0)
      w.u32(port)
    }
  }

  w.bool(interception !== null)
  if (interception !== null) {
    w.u32(interception.rules.length)
    for (const { id, on, action, match } of interception.rules) {
      w.u32(id)
      w.text(on)
      w.text(action)
      w.text(match)
    }
  }

  w.limit(limits.processes)
  w.limit(limits.openFiles)
  return w.finish()
}

function encodeView(w: FrameWriter, view: FilesystemPart): void {
  w.u32(view.entries.length)
  for (const entry of view.entries) encodeEntry(w, entry)
  w.bool(view.landlock !== null)
  if (view.landlock !== null) {
    w.texts(view.landlock.read)
    w.texts(view.landlock.write)
  }
}

const entryKinds = { bind: 1, tmpfs: 2, file: 3, symlink: 4, directory: 5, hide: 6, proc: 7, dev: 8 } as const

function encodeEntry(w: FrameWriter, entry: ViewEntry): void {
  w.u8(entryKinds[entry.kind])
  w.text(entry.target)
  switch (entry.kind) {
    case 'bind':
      w.text(entry.source)
      w.bool(entry.writable)
      w.bool(entry.optional)
      w.bool(entry.owner !== null)
      if (entry.owner !== null) {
        w.u32(entry.owner.uid)
        w.u32(entry.owner.gid)
      }
      break
    case 'tmpfs':
      w.u64(entry.sizeBytes)
      w.u32(entry.mode)
      break
    case 'file':
      w.text(entry.content)
      w.u32(entry.mode)
      break
    case 'symlink':
      w.text(entry.to)
      break
    case 'directory':
      w.u32(entry.mode)
      break
    case 'dev':
      w.u64(entry.shmBytes)
      break
    case 'hide':
    case 'proc':
      break
  }
}

/** A BH_ATTEMPT frame. */
export function encodeAttempts(attempts: readonly Attempt[]): Uint8Array {
  const w = new FrameWriter(message.attempt)
  w.u32(attempts.length)
  for (const attempt of attempts) {
    w.u8(attemptOps[attempt.op])
    switch (attempt.op) {
      case 'connect':
        w.text(attempt.address)
        w.u32(attempt.port)
        break
      case 'signal':
        w.u32(attempt.pid)
        break
      case 'syscall':
        w.text(attempt.name)
        break
      case 'status':
        w.text(attempt.field)
        break
      default:
        w.text(attempt.path)
    }
  }
  return w.finish()
}

/** The body of a BH_OUTCOMES frame. */
export function decodeOutcomes(r: FrameReader): Outcome[] {
  return Array.from({ length: r.u32() }, () => {
    const code = r.u32()
    const value = r.text()
    return { ok: code === 0, error: code === 0 ? null : errorName(code), value: value === '' ? null : value }
  })
}
