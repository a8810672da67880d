import { isatty } from 'node:tty'
import type { Exit, Sandbox } from '../../contracts/sandbox.ts'

/** 128 + n for a command that signal n ended, as shells have it. */
export function exitCode({ code, signal, killedByRule }: Exit): number {
  if (code !== null) return code
  return 128 + (signal === null ? 9 : (signalNumbers[signal] ?? (killedByRule === null ? 0 : 9)))
}

/** signal(7); the same on every architecture Linux has had for years, but for names nobody sends. */
const signalNumbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
}

/** Passes signals on to the command; before it runs they stop the preparation. */
export class SignalRelay implements Disposable {
  readonly #names = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const
  readonly #listener: (signal: NodeJS.Signals) => void
  #sandbox: Sandbox | null = null
  #exit: number | null = null

  constructor(abort: AbortController) {
    this.#listener = (signal) => {
      if (signal === 'SIGWINCH') {
        if (isatty(1)) this.#sandbox?.resize(process.stdout.columns, process.stdout.rows)
      } else if (this.#sandbox !== null) this.#sandbox.signal(signal)
      else {
        this.#exit ??= 128 + (signalNumbers[signal] ?? 15)
        abort.abort('shutdown')
      }
    }
    for (const name of this.#names) process.on(name, this.#listener)
  }

  /** Exit code for having been stopped before the command ran; null otherwise. */
  get exit(): number | null {
    return this.#exit
  }

  attach(sandbox: Sandbox): void {
    this.#sandbox = sandbox
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#listener)
  }
}
