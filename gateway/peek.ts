import type { Socket } from 'node:net'
import type { ClientHello } from './client-hello.ts'
import { classify, maximumFirstBytes } from './first-bytes.ts'

/** What a client said first, with all bytes read so far (none is lost). */
export type Peeked =
  | { readonly kind: 'tls'; readonly bytes: Buffer; readonly hello: Exclude<ClientHello, { state: 'more' }> }
  | { readonly kind: 'http'; readonly bytes: Buffer }
  | { readonly kind: 'other'; readonly bytes: Buffer }
  /** Nothing at all within `silentMs` or `totalMs`. */
  | { readonly kind: 'silent' }
  /** Too slow, too long, or in too many pieces without showing what it is. */
  | { readonly kind: 'undecided'; readonly bytes: Buffer }
  | { readonly kind: 'closed' }

export interface PeekLimits {
  /** Milliseconds for all of it; null: as long as it takes. */
  readonly totalMs: number | null
  /** Milliseconds after which a client that sent nothing is `silent`; null: never. */
  readonly silentMs: number | null
}

/** A first flight comes in a few segments. More pieces only cost time, because all bytes are looked at again for each. */
const maximumPieces = 48

/** Reads from `socket` (paused before and after) until it is known what the client speaks. `head`: bytes already read from it. */
export function peek(socket: Socket, head: Buffer, limits: PeekLimits): Promise<Peeked> {
  return new Promise((resolve) => {
    let bytes = head
    let pieces = 0
    const timers: NodeJS.Timeout[] = []
    const finish = (result: Peeked): void => {
      for (const timer of timers) clearTimeout(timer)
      socket.off('data', onData).off('end', onClosed).off('close', onClosed)
      socket.pause()
      resolve(result)
    }
    const look = (): void => {
      const first = classify(bytes)
      if (first.kind !== 'more') finish({ ...first, bytes })
      else if (bytes.length > maximumFirstBytes || pieces > maximumPieces) finish({ kind: 'undecided', bytes })
    }
    const onData = (piece: Buffer): void => {
      pieces++
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece])
      look()
    }
    const onClosed = (): void => finish({ kind: 'closed' })
    if (socket.destroyed || socket.readableEnded) return finish({ kind: 'closed' })
    if (limits.totalMs !== null) {
      timers.push(setTimeout(() => finish(bytes.length === 0 ? { kind: 'silent' } : { kind: 'undecided', bytes }), limits.totalMs))
    }
    if (limits.silentMs !== null) {
      timers.push(
        setTimeout(() => {
          if (bytes.length === 0) finish({ kind: 'silent' })
        }, limits.silentMs),
      )
    }
    socket.on('data', onData).on('end', onClosed).on('close', onClosed)
    socket.resume()
    if (bytes.length > 0) look()
  })
}
