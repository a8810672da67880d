import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from './host.ts'

const warnings = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-g', '-Wall', '-Wextra', '-Werror']
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** A decoder of launch specifications in C, built with the system's compiler and its sanitizers for one test file. */
export class Decoder implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'bulkhead-decode-'))
  readonly #program = join(this.#directory, 'decode')

  /** `encoder`: a C file of `test/support`, which encodes again what was decoded; `sources` and `folders`: below `native/`. */
  constructor(encoder: string, sources: readonly string[], folders: readonly string[]) {
    const native = (name: string): string => join(packageRoot, 'native', name)
    const includes = folders.map((name) => `-I${native(name)}`)
    const own = ['decode-main.c', encoder].map((name) => join(packageRoot, 'test', 'support', name))
    execFileSync('cc', [...warnings, ...sanitizers, ...includes, '-o', this.#program, ...own, ...sources.map(native)])
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** For each body of a frame what it became, or null when it was refused. Throws when the sanitizers found anything. */
  decode(inputs: readonly Buffer[]): readonly (Buffer | null)[] {
    const framed = inputs.flatMap((input) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(input.length)
      return [length, input]
    })
    const { stdout, stderr, status } = spawnSync(this.#program, { input: Buffer.concat(framed), maxBuffer: 1 << 28 })
    if (status !== 0) throw new Error(stderr.toString('utf8'))
    let at = 0
    return inputs.map(() => {
      if (stdout[at++] === 0) return null
      const length = stdout.readUInt32LE(at)
      at += 4 + length
      return stdout.subarray(at - length, at)
    })
  }
}
