import type { InterceptedAct, InterceptionAction } from '../../core/contracts/index.ts'

/** What the object of an act is, and so what a `match` looks like. */
export type ObjectKind = 'path' | 'address' | 'key' | 'name'

interface Act {
  readonly object: ObjectKind
  /** What can be answered besides allow, deny, ask and kill, which need nothing but the call itself. */
  readonly also: readonly InterceptionAction[]
}

/**
 * `emulate` says yes and does nothing, so it exists where a yes needs no result: a process or a connection cannot be made up. `redirect`
 * carries the act out on something else of the same kind.
 */
export const acts: Readonly<Record<InterceptedAct, Act>> = {
  'file.write': { object: 'path', also: ['emulate', 'redirect'] },
  'file.delete': { object: 'path', also: ['emulate'] },
  'file.rename': { object: 'path', also: ['emulate'] },
  'file.chmod': { object: 'path', also: ['emulate'] },
  'process.exec': { object: 'path', also: ['redirect'] },
  'process.signal': { object: 'path', also: ['emulate'] },
  'process.inspect': { object: 'path', also: [] },
  'net.connect': { object: 'address', also: ['redirect'] },
  'net.bind': { object: 'address', also: [] },
  'registry.write': { object: 'key', also: ['emulate'] },
  'registry.delete': { object: 'key', also: ['emulate'] },
  'service.control': { object: 'name', also: [] },
  'system.change': { object: 'name', also: ['emulate'] },
}

const always: readonly InterceptionAction[] = ['allow', 'deny', 'ask', 'kill']

export function isAnswered(on: InterceptedAct, action: InterceptionAction): boolean {
  return always.includes(action) || acts[on].also.includes(action)
}
