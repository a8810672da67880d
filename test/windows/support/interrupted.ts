import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { textOf } from './run.ts'

/** A script that says `ready`, and `interrupted` when it is. */
export const patient = `process.on('SIGINT', () => { console.log('interrupted'); process.exit(8) }); setInterval(() => {}, 1000); console.log('ready')`

/** What becomes of it with the streams of its caller, who sends it SIGINT once it is ready. */
export async function interrupted(token: 'bare' | 'restricted'): Promise<{ readonly code: number | null; readonly out: string }> {
  const program = fileURLToPath(new URL('as-caller.js', import.meta.url))
  const caller = spawn(process.execPath, [program, 'inherit', patient, token], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
  const out = textOf(caller.stdout)
  caller.stdout?.once('data', () => caller.send('SIGINT'))
  const [code] = (await once(caller, 'exit')) as [number | null]
  return { code, out: await out }
}
