// Runs inside a fresh network namespace (see netns.ts): opens the listeners, hands them out, then runs commands on request.
import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const { listeners, resolvConf } = JSON.parse(process.argv[2])
execFileSync('ip', ['link', 'set', 'lo', 'up'])
for (const family of ['-4', '-6']) execFileSync('ip', [family, 'route', 'add', 'local', 'default', 'dev', 'lo'])
if (resolvConf !== null) execFileSync('mount', ['--bind', resolvConf, '/etc/resolv.conf'])

for (const [index, { protocol, port }] of listeners.entries()) {
  const socket = protocol === 'udp' ? createSocket('udp6') : createServer()
  await new Promise((resolve, reject) => {
    socket.once('error', reject)
    if (protocol === 'udp') socket.bind(port, '::', resolve)
    else socket.listen({ port, host: '::' }, resolve)
  })
  // The raw handle, so that nobody but the receiver accepts on it.
  const handle =
    protocol === 'udp'
      ? Object.getOwnPropertySymbols(socket)
          .map((key) => socket[key])
          .find((state) => state?.handle)?.handle
      : socket['_handle']
  await new Promise((resolve) => process.send({ listener: index }, handle, { keepOpen: true }, resolve))
  socket.close()
}
process.send({ ready: true })

process.on('message', ({ id, argv, stdin, environment }) => {
  const child = spawn(argv[0], argv.slice(1), { env: { ...process.env, ...environment } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin ?? '')
  child.once('error', (error) => process.send({ id, code: -1, stdout, stderr: String(error) }))
  child.once('close', (code) => process.send({ id, code, stdout, stderr }))
})
process.on('disconnect', () => process.exit(0))
