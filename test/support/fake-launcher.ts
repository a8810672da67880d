import { PassThrough } from 'node:stream'
import type { LaunchSpec } from '../../core/contracts/launch.ts'
import type { Attempt, Exit, Launcher, Outcome, Sandbox, Stdio } from '../../core/contracts/sandbox.ts'

/** What a test makes a sandbox do. */
export interface FakeBehaviour {
  launchFails?: Error
  startFails?: Error
  attempt?: (attempt: Attempt) => Outcome
  /** Runs when the command starts. */
  onStart?: (sandbox: FakeSandbox) => void
  onSignal?: (sandbox: FakeSandbox, signal: NodeJS.Signals) => void
  /** Never gone, whatever is done. */
  immortal?: boolean
}

/** Writes what happens to `log`, so that a test can compare the whole order of things. */
export class FakeLauncher implements Launcher {
  readonly specs: LaunchSpec[] = []
  readonly sandboxes: FakeSandbox[] = []
  readonly #log: string[]
  behaviour: FakeBehaviour

  constructor(log: string[] = [], behaviour: FakeBehaviour = {}) {
    this.#log = log
    this.behaviour = behaviour
  }

  async launch(spec: LaunchSpec, stdio: Stdio): Promise<Sandbox> {
    this.#log.push('launch')
    if (this.behaviour.launchFails !== undefined) throw this.behaviour.launchFails
    this.specs.push(spec)
    const sandbox = new FakeSandbox(this.#log, this.behaviour, stdio)
    this.sandboxes.push(sandbox)
    return sandbox
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sandbox of this.sandboxes) sandbox.kill()
  }
}

export class FakeSandbox implements Sandbox {
  readonly process = { pid: 4711, startTime: '42' }
  readonly stdin: PassThrough | null
  readonly stdout: PassThrough | null
  readonly stderr: PassThrough | null
  readonly listeners: readonly number[] = []
  readonly exited: Promise<Exit>
  readonly signals: NodeJS.Signals[] = []
  started = false
  alive = true
  readonly #log: string[]
  readonly #behaviour: FakeBehaviour
  #resolve: (exit: Exit) => void = () => undefined

  constructor(log: string[], behaviour: FakeBehaviour, stdio: Stdio) {
    this.#log = log
    this.#behaviour = behaviour
    const pipe = (): PassThrough | null => (stdio.kind === 'pipes' ? new PassThrough({ highWaterMark: 1024 }) : null)
    this.stdin = pipe()
    this.stdout = pipe()
    this.stderr = pipe()
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  onAsked(): void {}

  async attempt(attempts: readonly Attempt[]): Promise<readonly Outcome[]> {
    if (this.started) throw new Error('attempt after start')
    return attempts.map(this.#behaviour.attempt ?? (() => ({ ok: false, error: 'EACCES', value: null })))
  }

  async start(): Promise<void> {
    if (this.#behaviour.startFails !== undefined) throw this.#behaviour.startFails
    this.started = true
    this.#log.push('start')
    this.#behaviour.onStart?.(this)
  }

  signal(signal: NodeJS.Signals): void {
    this.signals.push(signal)
    this.#log.push(`signal ${signal}`)
    this.#behaviour.onSignal?.(this, signal)
  }

  resize(): void {}

  kill(): void {
    if (this.#behaviour.immortal === true || !this.alive) return
    this.#log.push('kill')
    this.exit({ signal: 'SIGKILL' })
  }

  onIntercepted(): void {}

  exit(exit: Partial<Exit> = {}): void {
    if (!this.alive) return
    this.alive = false
    this.stdout?.end()
    this.stderr?.end()
    this.#resolve({ code: null, signal: null, killedByRule: null, ...exit })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill()
    this.#log.push('sandbox disposed')
  }
}
