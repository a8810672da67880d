import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What a process tries: `tcp 127.0.0.1 80`, `udp ...`, `bind` a datagram socket, `listen`. Answers: `ok`, or the code of the error. */
export type Tries = Readonly<Record<string, readonly [kind: 'tcp' | 'udp' | 'bind' | 'listen', address: string, port: number]>>

const script = `
const net = require('node:net'), dgram = require('node:dgram')
const act = {
  tcp: (address, port, done) => {
    const socket = net.connect({ host: address, port, timeout: 4000 })
    socket.once('connect', () => { socket.destroy(); done('ok') })
    socket.once('timeout', () => { socket.destroy(); done('ETIMEDOUT') })
    socket.once('error', (error) => done(error.code))
  },
  udp: (address, port, done) => {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => done(error.code))
    socket.send('x', port, address, (error) => { try { socket.close() } catch {} done(error ? error.code : 'ok') })
  },
  bind: (address, port, done) => {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error) => done(error.code))
    socket.bind(port, address, () => { socket.close(); done('ok') })
  },
  listen: (address, port, done) => {
    const server = net.createServer()
    server.once('error', (error) => done(error.code))
    server.listen(port, address, () => server.close(() => done('ok')))
  },
}
const tries = JSON.parse(process.argv[1])
const once = (work) => new Promise((resolve) => { let over = false; work((answer) => { if (!over) { over = true; resolve(answer) } }) })
;(async () => {
  const answers = {}
  for (const [name, [kind, address, port]] of Object.entries(tries)) answers[name] = await once((done) => act[kind](address, port, done))
  process.stdout.write(JSON.stringify(answers))
})()
`

/** Runs the tries in a process of their own, or in a child of one (`deep`). */
export async function tryNetwork<T extends Tries>(tries: T, { deep = false } = {}): Promise<Readonly<Record<keyof T, string>>> {
  const argv = ['-e', script, JSON.stringify(tries)]
  const through = [
    '-e',
    'process.stdout.write(require("node:child_process").execFileSync(process.execPath, process.argv.slice(1)))',
    '--',
    ...argv,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, deep ? through : argv, { timeout: 60_000 })
  return JSON.parse(stdout) as Record<keyof T, string>
}
