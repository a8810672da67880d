import type { Socket } from 'node:net'

/** How long one direction may stay silent after the other has ended. */
const halfOpenMs = 120_000

/** Carries bytes both ways with back-pressure until both directions ended; a reset on one side resets the other. */
export function join(client: Socket, upstream: Socket): void {
  couple(client, upstream)
  couple(upstream, client)
  client.pipe(upstream)
  upstream.pipe(client)
}

/** Ends `to` the way `from` ended. `pipe` carries the orderly end; what is still being written to `to` then is not cut off. */
function couple(from: Socket, to: Socket): void {
  const limit = (): void => void to.setTimeout(halfOpenMs, () => to.destroy())
  if (from.readableEnded) limit()
  else from.once('end', limit)
  from.once('error', () => to.resetAndDestroy())
  from.once('close', () => {
    if (to.destroyed) return
    if (!from.readableEnded) to.resetAndDestroy()
    else if (!to.readableEnded) to.destroy()
  })
}
