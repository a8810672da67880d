import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import type { Socket as DatagramSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { maximumQueryBytes } from './dns-message.ts'
import type { NameServer } from './names.ts'

const tcpIdleMs = 10_000

/**
 * Serves DNS on a bound UDP descriptor (taken over). The reply goes out from the address that was asked without further ado: for an IPv4
 * `local` route without preferred source the kernel takes the destination as source, so client and server have one address. (IPv6 takes
 * `::1`, so IPv6 nameservers do not work.)
 */
export function serveDatagrams(descriptor: number, names: NameServer): Promise<DatagramSocket> {
  const socket = createSocket(kernelHasIPv6() ? 'udp6' : 'udp4')
  socket.on('message', (message, from) => {
    const reply = names.answer(message)
    // Lost replies are the client's business: it asks again.
    if (reply !== null) socket.send(reply, from.port, from.address, () => undefined)
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ fd: descriptor }, () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

/** Where the kernel runs without IPv6 (`ipv6.disable=1`) the descriptor is an IPv4 socket, which cannot be told from outside. */
function kernelHasIPv6(): boolean {
  return existsSync('/proc/net/if_inet6')
}

/** DNS over TCP, RFC 7766: messages preceded by their length in two bytes. */
export function serveStream(socket: Socket, names: NameServer): void {
  let bytes: Buffer = Buffer.alloc(0)
  socket.setTimeout(tcpIdleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.end())
  socket.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece])
    while (bytes.length >= 2) {
      const length = bytes.readUInt16BE(0)
      if (length <= maximumQueryBytes && bytes.length < 2 + length) break
      const reply = length > maximumQueryBytes ? null : names.answer(bytes.subarray(2, 2 + length))
      bytes = bytes.subarray(2 + length)
      // A client that talks nonsense, or asks and does not read, is cut off instead of being remembered.
      if (reply === null || !socket.write(framed(reply))) {
        socket.resetAndDestroy()
        break
      }
    }
  })
  socket.resume()
}

function framed(reply: Buffer): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(reply.length)
  return Buffer.concat([size, reply])
}
