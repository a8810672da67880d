import type { LaunchSpec, MountView, Stdio, ViewEntry } from '../../core/contracts/index.ts'
import type { FrameWriter } from '../frame.ts'
import { launchFrame, partOf } from '../messages.ts'

/** A BH_LAUNCH frame. Mirrors `src/linux/spec.c` field by field. Throws TypeError for a part that is not of this system. */
export function encodeLaunch(spec: LaunchSpec, stdio: Stdio): Uint8Array {
  const w = launchFrame(spec.command, stdio)
  const token = partOf(spec.token, 'linux-userns')
  const filesystem = partOf(spec.filesystem, 'linux-view')
  const network = partOf(spec.network, 'linux-netns')
  const interception = partOf(spec.interception, 'linux-seccomp')

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

  w.limit(spec.limits.processes)
  w.limit(spec.limits.openFiles)
  return w.finish()
}

function encodeView(w: FrameWriter, view: MountView): void {
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
