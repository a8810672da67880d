import type { LookupFunction, Socket } from 'node:net'
import { connect } from 'node:net'
import type { Address } from './address.ts'

const connectTimeoutMs = 15_000
/** Per address where a name has several, before the next is tried too (RFC 8305 suggests 250 ms; slow links need more than Node's 250). */
const attemptMs = 1000
const keepAliveMs = 60_000
const mostAddresses = 8

/** Connects to the first of `addresses` that answers, unless `client` goes away first. Rejects with Node's error. */
export function dial(addresses: readonly Address[], port: number, client: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = startDialing(addresses, port)
    const give = (): void => void socket.destroy(new Error('the client went away'))
    client.once('close', give)
    socket.once('connect', () => {
      client.off('close', give)
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** As `dial`, for callers that want the socket at once (node:http). Both directions end on their own (`allowHalfOpen`). */
export function startDialing(addresses: readonly Address[], port: number): Socket {
  const answers = addresses.slice(0, mostAddresses).map(({ text, family }) => ({ address: text, family }))
  const [only] = answers
  const socket =
    answers.length === 1 && only !== undefined
      ? connect({ host: only.address, port, allowHalfOpen: true, noDelay: true, autoSelectFamily: false })
      : connect({
          // Never resolved: `lookup` hands out what was checked.
          host: 'pinned.invalid',
          port,
          allowHalfOpen: true,
          noDelay: true,
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: attemptMs,
          lookup: ((_name, _options, callback) => callback(null, answers)) satisfies LookupFunction,
        })
  socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('connecting took too long')))
  socket.once('connect', () => {
    socket.setTimeout(0)
    socket.setKeepAlive(true, keepAliveMs)
  })
  return socket
}
