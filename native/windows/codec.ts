import type { HookInterception, LaunchSpec, RestrictedToken, Stdio } from '../../core/contracts/index.ts'
import type { FrameWriter } from '../frame.ts'
import { launchFrame, partOf } from '../messages.ts'

/** A BH_LAUNCH frame. Mirrors `src/windows/launcher/spec.c` field by field. Throws TypeError for a part that is not of this system. */
export function encodeLaunch(spec: LaunchSpec, stdio: Stdio): Uint8Array {
  const w = launchFrame(spec.command, stdio)
  const token = partOf(spec.token, 'windows-restricted')
  const filesystem = partOf(spec.filesystem, 'windows-acl')
  const network = partOf(spec.network, 'windows-wfp')
  const interception = partOf(spec.interception, 'windows-hook')

  w.bool(token !== null)
  if (token !== null) encodeToken(w, token)
  w.bool(filesystem !== null)
  if (filesystem !== null) w.text(filesystem.workspaceSid)
  w.bool(network !== null)
  if (network !== null) w.u32(network.gatewayPort)
  w.bool(interception !== null)
  if (interception !== null) encodeHook(w, interception)
  w.limit(spec.limits.processes)
  w.limit(spec.limits.openFiles)
  return w.finish()
}

function encodeToken(w: FrameWriter, token: RestrictedToken): void {
  w.u8(token.tier === 'blind' ? 0 : 1)
  w.u8(token.integrity === 'medium' ? 0 : 1)
  w.text(token.launchSid)
  w.texts(token.restricting)
  w.bool(token.privateDesktop)
  w.limit(token.memoryBytes)
  w.limit(token.cpuPercent)
  w.bool(token.account !== null)
  if (token.account === null) return
  w.text(token.account.name)
  w.text(token.account.sid)
  w.text(token.account.secretFile)
}

function encodeHook(w: FrameWriter, hook: HookInterception): void {
  w.u8(hook.wow64 === 'refuse' ? 0 : 1)
  w.u32(hook.askTimeoutMs)
  w.u32(hook.rules.length)
  for (const { id, on, action, match, target } of hook.rules) {
    w.u32(id)
    w.text(on)
    w.text(action)
    w.text(match)
    w.text(target ?? '')
  }
}
