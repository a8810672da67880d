import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** Things of the host that an agent must not get at, with permissions that let everybody: only a wall can keep it away. */
export interface Prey extends AsyncDisposable {
  readonly directory: string
  readonly secret: string
  readonly victim: string
  readonly workspace: string
  /** A service that listens on the host's loopback. */
  readonly port: number
}

/** Below `base`, which must not be /tmp: views have a /tmp of their own, and the prey is to be hidden by more than that. */
export async function layOutPrey(base: string): Promise<Prey> {
  const root = await mkdtemp(join(base, 'bulkhead-conformance-'))
  const directory = join(root, 'outside')
  const workspace = join(root, 'workspace')
  const [secret, victim] = [join(directory, 'secret'), join(directory, 'victim')]
  for (const path of [directory, workspace]) await mkdir(path)
  for (const path of [secret, victim]) await writeFile(path, 'canary\n')
  await chmod(root, 0o755)
  for (const path of [directory, workspace, secret, victim]) await chmod(path, 0o777)
  const server = createServer((socket) => socket.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    directory,
    secret,
    victim,
    workspace,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
      await rm(root, { recursive: true, force: true })
    },
  }
}
