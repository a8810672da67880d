/** Programs under the hook alone, as `test/windows/native/hook-runner.c` starts them: no token, no access lists, no filters. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const stage = process.env['BULKHEAD_STAGE'] ?? ''
const programs = join(stage, 'programs')
const runner = join(programs, 'hook-runner.exe')
export const hookLibrary = join(stage, 'native', 'build', 'win32-x64', 'bulkhead-hook.dll')
export const agent = join(programs, 'hook-agent.exe')

export interface HookEvent {
  readonly rule: number
  readonly on: string
  readonly action: string
  readonly pid: number
  readonly lost: number
  readonly program: string
  readonly object: string
}

export interface Hooked {
  /** What the command and its children wrote, line by line. */
  readonly lines: readonly string[]
  readonly events: readonly HookEvent[]
  readonly asked: readonly HookEvent[]
  readonly killedBy: number | undefined
  /** Win32 error and step; undefined when the hook came in. */
  readonly notEntered: { readonly inject: number; readonly step: string } | undefined
  readonly exit: number
  /** The command's process said hello to the supervisor. */
  readonly known: boolean
  /** Of a runner that runs as the command of a runner. */
  readonly proofs: readonly { readonly proof: string; readonly error: number }[]
  readonly status: string | undefined
  readonly feature: { readonly feature: number; readonly reason: string } | undefined
  /** Whether a process outside the job was recognised by the event pipe. */
  readonly outsiderHeard: boolean | undefined
}

/** Quotes for a program that splits its command line as Microsoft's C runtime does; no argument here has quotes of its own. */
const quoted = (argument: string): string => (/^[^\s"]+$/.test(argument) ? argument : `"${argument.replace(/\\+$/, '$&$&')}"`)

/** `options` as `hook-runner.c` takes them. */
export async function underHook(options: readonly string[], command: readonly string[]): Promise<Hooked> {
  const line = [`dll=${hookLibrary}`, ...options, '--', ...command].map(quoted)
  const child = spawn(runner, line, { windowsVerbatimArguments: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  const all = Buffer.concat(chunks)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((text) => text !== '')
  const said = all.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.equal(code, 0, all.join('\n'))
  const of = (key: string): readonly unknown[] => said.flatMap((one) => (key in one ? [one[key]] : []))
  const [end] = said.filter((one) => 'exit' in one)
  assert.ok(end, `the runner did not come to its end:\n${all.join('\n')}`)
  return {
    lines: all.filter((text) => !text.startsWith('{')),
    events: of('event') as readonly HookEvent[],
    asked: of('ask') as readonly HookEvent[],
    killedBy: of('kill')[0] as number | undefined,
    notEntered: said.find((one) => 'inject' in one) as Hooked['notEntered'],
    exit: end['exit'] as number,
    known: end['known'] as boolean,
    proofs: said.filter((one) => 'proof' in one) as unknown as Hooked['proofs'],
    status: of('status')[0] as string | undefined,
    feature: said.find((one) => 'feature' in one) as Hooked['feature'],
    outsiderHeard: of('outsider')[0] as boolean | undefined,
  }
}

/** `rule on action object`, for comparing. */
export function brief({ events }: Pick<Hooked, 'events'>): readonly string[] {
  return events.map(({ rule, on, action, object }) => `${rule} ${on} ${action} ${object}`)
}

/** Fresh for each run: `deny\f` and `free\f`, and nothing else. Deleted with the returned function. */
export function playground(): { readonly directory: string; readonly deny: string; readonly free: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'hook-'))
  for (const name of ['deny', 'free']) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'f'), `${name} original`)
  }
  return {
    directory,
    deny: join(directory, 'deny'),
    free: join(directory, 'free'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}
