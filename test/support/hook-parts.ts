import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from './host.ts'

const parts = ['glob', 'path', 'key', 'afd', 'address', 'replace', 'policyBytes', 'policyBuild', 'frame', 'event', 'stub'] as const
export type Part = (typeof parts)[number]

const sources = [
  'text16.c',
  'hook-policy.c',
  'hook-frame.c',
  'launcher/hook-policy-build.c',
  ...['afd.c', 'glob.c', 'key.c', 'path.c', 'shape.c'].map((name) => `hook/${name}`),
]

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** As the runner takes UTF-16. */
export function text16(text: string): Buffer {
  return Buffer.concat([u32(text.length), Buffer.from(text, 'utf16le')])
}

/** As the runner takes UTF-8. */
export function text8(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([u32(bytes.length), bytes])
}

/** A text of an answer: undefined where its length is negative, as a reason is. */
export function readText(answer: Buffer, at = 0): string | number {
  const length = answer.readInt32LE(at)
  return length < 0 ? length : answer.toString('utf16le', at + 4, at + 4 + length * 2)
}

/** The portable parts of the hook, built with the system's compiler and its sanitizers for one test file (`hook-parts.c`). */
export class HookParts implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'bulkhead-hook-parts-'))
  readonly #program = join(this.#directory, 'parts')

  constructor() {
    const windows = join(packageRoot, 'native', 'src', 'windows')
    const warnings = ['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wvla']
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
    const own = join(packageRoot, 'test', 'support', 'hook-parts.c')
    execFileSync('cc', [...warnings, ...sanitizers, '-I', windows, '-o', this.#program, own, ...sources.map((name) => join(windows, name))])
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** One answer for each input. Throws when the sanitizers found anything. */
  ask(part: Part, inputs: readonly Buffer[]): readonly Buffer[] {
    const framed = inputs.flatMap((input) => [u32(input.length + 1), Buffer.from([parts.indexOf(part)]), input])
    // Every input is left where it is until the end, so that the sanitizer sees late uses; leaks are no finding.
    const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }
    const { stdout, stderr, status } = spawnSync(this.#program, { input: Buffer.concat(framed), maxBuffer: 1 << 28, env })
    if (status !== 0) throw new Error(`exit ${String(status)}: ${stderr.toString()}`)
    let at = 0
    return inputs.map(() => {
      const end = at + 4 + stdout.readUInt32LE(at)
      const answer = stdout.subarray(at + 4, end)
      at = end
      return answer
    })
  }
}
