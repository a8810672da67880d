import { spawn } from 'node:child_process'
import type { JobView, JournalEvent } from '../core/contracts/index.ts'
import type { Stage } from './stage.ts'

export type ShownJob = JobView & { readonly events: readonly JournalEvent[] }

/** The command line as the demo's user types it. */
export class Bulkhead {
  readonly #stage: Stage
  readonly #main: string

  constructor(stage: Stage, main: string) {
    this.#stage = stage
    this.#main = main
  }

  jobs(): Promise<readonly JobView[]> {
    return this.#read<readonly JobView[]>('ls', '--json')
  }

  show(job: string): Promise<ShownJob> {
    return this.#read<ShownJob>('show', job, '--json')
  }

  output(job: string): Promise<string> {
    return this.#spawn(['logs', job], 'pipe')
  }

  /** Shows what it does on our own terminal. */
  async say(...words: readonly string[]): Promise<void> {
    console.log(`\n$ bulkhead ${words.map((word) => (word.includes(' ') ? JSON.stringify(word) : word)).join(' ')}`)
    await this.#spawn(words, 'inherit')
  }

  async #read<T>(...words: readonly string[]): Promise<T> {
    return JSON.parse(await this.#spawn(words, 'pipe')) as T
  }

  #spawn(words: readonly string[], output: 'inherit' | 'pipe'): Promise<string> {
    const { repository, config, state } = this.#stage
    const [verb = '', ...rest] = words
    const child = spawn(process.execPath, [this.#main, verb, '--config', config, ...rest], {
      cwd: repository,
      env: { ...process.env, BULKHEAD_STATE: state },
      stdio: ['ignore', output, 'inherit'],
    })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`bulkhead ${words.join(' ')} ended with ${code}`))))
    })
  }
}
