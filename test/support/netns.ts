import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Attempt, NetworkNamespace, Outcome } from '../../core/contracts/index.ts'
import { packageRoot } from './host.ts'

/**
 * A network namespace as the native launcher makes it (loopback, every address local, listeners handed out), made with unshare(1) and
 * ip(8), so that the gateway is tested against a real kernel without the launcher.
 */
export interface NetworkRoom extends AsyncDisposable {
  /** Descriptors, in the order asked for. */
  readonly listeners: readonly number[]
  run(argv: readonly string[], options?: { readonly stdin?: string; readonly environment?: Record<string, string> }): Promise<Finished>
  attempt(attempts: readonly Attempt[]): Promise<readonly Outcome[]>
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Message extends Finished {
  readonly listener?: number
  readonly ready?: boolean
  readonly id?: number
}

const connectAll = `
import errno, json, socket, sys
for address, port in json.load(sys.stdin):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    s.settimeout(5)
    code = s.connect_ex((address, port))
    print(errno.errorcode[code] if code else 'ok')
    s.close()
`

export async function openNetworkRoom(part: NetworkNamespace): Promise<NetworkRoom> {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-room-'))
  const resolvConf = join(directory, 'resolv.conf')
  writeFileSync(resolvConf, 'nameserver 198.18.0.1\n')
  const inner = join(packageRoot, 'test', 'support', 'netns-inner.mjs')
  const settings = JSON.stringify({ listeners: part.listeners, resolvConf })
  const [program, ...argv] = ['unshare', '--user', '--map-root-user', '--net', '--mount', process.execPath, inner, settings] as const
  const child = spawn(program, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  // Kept, because a handle that is collected closes its descriptor.
  const handles: { fd: number }[] = []
  const waiting = new Map<number, (finished: Finished) => void>()
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the room ended with ${code}`)))
    child.on('message', (message: Message, handle) => {
      if (message.listener !== undefined) handles[message.listener] = handle as unknown as { fd: number }
      if (message.ready === true) resolve()
      if (message.id !== undefined) waiting.get(message.id)?.(message)
    })
  })
  return room(child, handles, waiting, directory)
}

function room(
  child: ChildProcess,
  handles: { fd: number }[],
  waiting: Map<number, (finished: Finished) => void>,
  directory: string,
): NetworkRoom {
  let next = 0
  const run: NetworkRoom['run'] = async (argv, options = {}) => {
    const id = next++
    const { code, stdout, stderr } = await new Promise<Finished>((resolve) => {
      waiting.set(id, resolve)
      child.send({ id, argv, ...options })
    })
    waiting.delete(id)
    return { code, stdout, stderr }
  }
  return {
    listeners: handles.map(({ fd }) => fd),
    run,
    async attempt(attempts) {
      const targets = attempts.map((attempt) => (attempt.op === 'connect' ? [attempt.address, attempt.port] : []))
      const { stdout } = await run(['/usr/bin/python3', '-c', connectAll], { stdin: JSON.stringify(targets) })
      return stdout
        .trim()
        .split('\n')
        .map((line) => ({ ok: line === 'ok', error: line === 'ok' ? null : line, value: null }))
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}
