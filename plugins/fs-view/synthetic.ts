import type { Identity, ViewEntry } from '../../core/contracts/index.ts'
import { inside } from './constants.ts'

/**
 * Files of /etc that describe users and names. The machine's own would tell the agent who works here; without any, whoami(1), git and
 * localhost fail. `gateway`: names are answered by the network layer.
 */
export function syntheticFiles(identity: Identity, shell: string, gateway: boolean): readonly ViewEntry[] {
  const { uid, gid } = identity
  const files: Record<string, string> = {
    passwd: [
      'root:x:0:0:root:/root:/usr/sbin/nologin',
      `${inside.user}:x:${uid}:${gid}:${inside.user}:${inside.home}:${shell}`,
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      '',
    ].join('\n'),
    group: ['root:x:0:', `${inside.user}:x:${gid}:`, 'nogroup:x:65534:', ''].join('\n'),
    'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  }
  if (gateway) {
    // `bulkhead` is the host name that the token layer gives unless told otherwise.
    files['hosts'] = '127.0.0.1 localhost bulkhead\n::1 localhost ip6-localhost ip6-loopback\n'
    files['resolv.conf'] = `nameserver ${inside.nameServer}\n`
  }
  return Object.entries(files).map(([name, content]) => ({ kind: 'file', target: `/etc/${name}`, content, mode: 0o644 }))
}
