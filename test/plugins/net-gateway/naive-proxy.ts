import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Listening } from '../../gateway/wire.ts'
import { listen } from '../../gateway/wire.ts'

/**
 * The control of the bypass tests: what a careless proxy does. It looks once at the first line, asks whether the text of the host ends
 * with the allowed name, and from then on carries bytes to wherever the name "leads" (always `upstream` here).
 */
export function startNaiveProxy(upstream: number): Promise<Listening> {
  return listen((client) => {
    client.once('data', (first) => {
      const connected = /^CONNECT /i.test(first.toString('latin1'))
      if (connected) client.write('HTTP/1.1 200 OK\r\n\r\n')
      carry(client, upstream, connected ? null : first)
    })
  })
}

/** The control for transparent connections: the name was checked when it was looked up, the bytes are nobody's business. */
export function startNaiveRelay(upstream: number): Promise<Listening> {
  return listen((client) => carry(client, upstream, null))
}

function carry(client: Socket, upstream: number, first: Buffer | null): void {
  const server = connect({ port: upstream, host: '127.0.0.1' })
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
  if (first !== null) server.write(first)
  client.pipe(server)
  server.pipe(client)
}
