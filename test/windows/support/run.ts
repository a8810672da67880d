import type { Readable } from 'node:stream'
import type { Exit, Launcher, LaunchSpec, Sandbox } from '../../../core/contracts/index.ts'

interface Ran extends Exit {
  readonly out: string
  readonly error: string
}

export async function textOf(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Launches, starts, feeds `input` and waits for the end. */
export async function runToEnd(launcher: Launcher, spec: LaunchSpec, input = ''): Promise<Ran> {
  await using sandbox: Sandbox = await launcher.launch(spec, { kind: 'pipes' })
  const texts = Promise.all([textOf(sandbox.stdout), textOf(sandbox.stderr)])
  sandbox.stdin?.end(input)
  await sandbox.start()
  const exit = await sandbox.exited
  const [out, error] = await texts
  return { ...exit, out, error }
}
