import type { Attempt, CommandPart, Outcome, Stdio } from '../core/contracts/index.ts'
import { FrameWriter } from './frame.ts'
import type { FrameReader } from './frame.ts'

/** Message types of `include/bulkhead.h`. */
export const message = {
  launch: 1,
  probe: 2,
  sweep: 3,
  attempt: 10,
  start: 11,
  kill: 12,
  signal: 13,
  resize: 14,
  verdict: 15,
  held: 20,
  outcomes: 21,
  started: 22,
  execFailed: 23,
  intercepted: 24,
  gone: 25,
  error: 26,
  answer: 27,
  asked: 28,
} as const

const stdioKinds = { pipes: 0, inherit: 1, terminal: 2 } as const
const attemptOps = { read: 1, write: 2, create: 3, connect: 4, syscall: 5, signal: 6, status: 7 } as const

/** A BH_LAUNCH frame up to where systems differ: streams and command. */
export function launchFrame(command: CommandPart, stdio: Stdio): FrameWriter {
  const w = new FrameWriter(message.launch)
  w.u8(stdioKinds[stdio.kind])
  w.u32(stdio.kind === 'terminal' ? stdio.columns : 0)
  w.u32(stdio.kind === 'terminal' ? stdio.rows : 0)
  w.texts(command.argv)
  w.text(command.directory)
  w.texts(Object.entries(command.environment).map(([name, value]) => `${name}=${value}`))
  return w
}

/** A layer's part, which must be of the mechanism that this system executes; null when no layer contributed one. Throws TypeError. */
export function partOf<P extends { readonly mechanism: string }, M extends P['mechanism']>(
  part: P | null,
  mechanism: M,
): Extract<P, { readonly mechanism: M }> | null {
  if (part !== null && part.mechanism !== mechanism) throw new TypeError(`this system cannot execute a part "${part.mechanism}"`)
  return part as Extract<P, { readonly mechanism: M }> | null
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
export function decodeOutcomes(r: FrameReader, errorName: (code: number) => string): Outcome[] {
  return Array.from({ length: r.u32() }, () => {
    const code = r.u32()
    const value = r.text()
    return { ok: code === 0, error: code === 0 ? null : errorName(code), value: value === '' ? null : value }
  })
}
