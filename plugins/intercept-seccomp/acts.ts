import type { InterceptedAct, InterceptionAction } from '../../core/contracts/index.ts'

/** What the object of an act is, and so what a `match` may look like; a text says why the act cannot be watched here. */
export const acts: Readonly<Record<InterceptedAct, 'path' | 'address' | { readonly unsupported: string }>> = {
  'file.write': 'path',
  'file.delete': 'path',
  'file.rename': 'path',
  'file.chmod': 'path',
  'process.exec': 'path',
  'net.connect': 'address',
  'net.bind': 'address',
  'process.signal': { unsupported: 'is not watched by this layer; processes outside the job are out of reach anyway' },
  'process.inspect': { unsupported: 'is not watched by this layer; processes outside the job are out of reach anyway' },
  'registry.write': { unsupported: 'has no meaning on Linux' },
  'registry.delete': { unsupported: 'has no meaning on Linux' },
  'service.control': { unsupported: 'has no meaning on Linux' },
  'system.change': { unsupported: 'is not watched by this layer; the system calls that change the machine are closed, always' },
}

const answers = ['allow', 'deny', 'kill'] as const
export type Answer = (typeof answers)[number]

/** What this layer can do about an act; the others need an act carried out on the agent's behalf. */
export function isAnswer(action: InterceptionAction): action is Answer {
  return (answers as readonly string[]).includes(action)
}
