import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Attempt, Exit, Intercepted, Outcome, ProcessIdentity, Sandbox } from '../core/contracts/index.ts'
import { BulkheadError } from '../core/contracts/index.ts'
import type { Binding } from './binding.ts'
import { decodeOutcomes, encodeAttempts, message } from './codec.ts'
import { nativeFailure } from './error.ts'
import type { FrameReader } from './frame.ts'
import { FrameSplitter, FrameWriter } from './frame.ts'
import { isAlive } from './process.ts'
import type { OpenedStdio, Streams } from './stdio.ts'

/** BH_LISTENERS_MAX of `src/linux/spec.h`. */
const mostListeners = 128
const noRule = 0xffff_ffff
const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]))

interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: Error): void
}

function defer<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept
    reject = refuse
  })
  // Whoever is interested awaits it; nobody may be.
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

/** The orchestrator's side of one supervisor: its channel, and what came over it. */
export class HeldSandbox implements Sandbox {
  process: ProcessIdentity = { pid: 0, startTime: '' }
  listeners: readonly number[] = []
  readonly stdin: Streams['stdin']
  readonly stdout: Streams['stdout']
  readonly stderr: Streams['stderr']
  readonly #native: Binding
  readonly #restore: () => void
  readonly #channel: Socket
  #descriptors: number
  readonly #held = defer<void>()
  readonly #started = defer<void>()
  readonly #exited = defer<Exit>()
  readonly #attempts: Deferred<readonly Outcome[]>[] = []
  readonly #observers: ((event: Intercepted) => void)[] = []
  #failure: Error | undefined
  #startRequested = false
  #over = false
  #losing = false

  constructor(native: Binding, channel: number, descriptors: number, { ours: streams, restore }: Pick<OpenedStdio, 'ours' | 'restore'>) {
    this.#restore = restore
    this.#native = native
    this.#descriptors = descriptors
    this.stdin = streams.stdin
    this.stdout = streams.stdout
    this.stderr = streams.stderr
    const splitter = new FrameSplitter()
    this.#channel = new Socket({ fd: channel, readable: true, writable: true, allowHalfOpen: true })
    this.#channel.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) this.#hear(frame)
    })
    this.#channel.on('error', () => undefined)
    this.#channel.on('end', () => void this.#lost())
    this.#channel.on('close', () => void this.#lost())
  }

  /** Resolves when the process waits right before exec; rejects when a step of the launch failed and nothing is left of it. */
  get held(): Promise<void> {
    return this.#held.promise
  }

  get exited(): Promise<Exit> {
    return this.#exited.promise
  }

  attempt(attempts: readonly Attempt[]): Promise<readonly Outcome[]> {
    if (this.#startRequested) return Promise.reject(new BulkheadError('internal', 'the sandbox can try nothing any more: it was started'))
    if (this.#over) return Promise.reject(this.#ended())
    const outcome = defer<readonly Outcome[]>()
    this.#attempts.push(outcome)
    this.#channel.write(encodeAttempts(attempts))
    return outcome.promise
  }

  start(): Promise<void> {
    this.#startRequested = true
    this.#say(new FrameWriter(message.start))
    return this.#started.promise
  }

  signal(signal: NodeJS.Signals): void {
    const w = new FrameWriter(message.signal)
    w.u32(constants.signals[signal])
    this.#say(w)
  }

  resize(columns: number, rows: number): void {
    const w = new FrameWriter(message.resize)
    w.u32(columns)
    w.u32(rows)
    this.#say(w)
  }

  kill(): void {
    this.#say(new FrameWriter(message.kill))
  }

  onIntercepted(listener: (event: Intercepted) => void): void {
    this.#observers.push(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill()
    await this.exited
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy()
  }

  #say(w: FrameWriter): void {
    if (!this.#over) this.#channel.write(w.finish())
  }

  #hear(frame: FrameReader): void {
    switch (frame.type) {
      case message.held:
        this.process = { pid: frame.u32(), startTime: frame.text() }
        this.#takeListeners(frame.u32())
        break
      case message.outcomes:
        this.#attempts.shift()?.resolve(decodeOutcomes(frame))
        break
      case message.started:
        this.#started.resolve()
        break
      case message.execFailed:
        this.#started.reject(launchFailure(frame.u32()))
        break
      case message.intercepted:
        this.#report(frame)
        break
      case message.error: {
        const code = frame.u32()
        this.#failure = nativeFailure(frame.text(), code)
        break
      }
      case message.gone:
        this.#finish(decodeExit(frame))
        break
    }
  }

  #takeListeners(count: number): void {
    try {
      if (count > 0) this.listeners = this.#native.receiveDescriptors(this.#descriptors, mostListeners)
      if (this.listeners.length !== count) throw new BulkheadError('native_failed', 'the listeners of the sandbox did not arrive')
      this.#held.resolve()
    } catch (error) {
      this.#held.reject(BulkheadError.from(error, 'native_failed'))
      this.kill()
    }
  }

  #report(frame: FrameReader): void {
    const event: Intercepted = {
      rule: frame.u32(),
      on: frame.text(),
      action: frame.text() as Intercepted['action'],
      pid: frame.u32(),
      lost: frame.u32(),
      program: frame.text(),
      object: frame.text(),
    }
    for (const observer of this.#observers) observer(event)
  }

  /** The supervisor ended without a word: it was killed. The kernel ends the sandbox after it, but not in the same moment. */
  async #lost(): Promise<void> {
    if (this.#losing || this.#over) return
    this.#losing = true
    while (this.process.pid !== 0 && isAlive(this.process)) await new Promise((resolve) => setTimeout(resolve, 2))
    this.#restore()
    this.#finish({ code: null, signal: 'SIGKILL', killedByRule: null })
  }

  #finish(exit: Exit): void {
    if (this.#over) return
    this.#over = true
    this.#native.close(this.#descriptors)
    this.#descriptors = -1
    const ended = this.#ended()
    this.#held.reject(ended)
    this.#started.reject(ended)
    for (const attempt of this.#attempts) attempt.reject(ended)
    this.#exited.resolve(exit)
    this.#channel.destroy()
  }

  #ended(): Error {
    return this.#failure ?? new BulkheadError('native_failed', 'the sandbox ended before its command was started', { operation: 'launch' })
  }
}

function launchFailure(code: number): BulkheadError {
  if (code === constants.errno.ENOENT) {
    return new BulkheadError('launch_not_found', 'the command does not exist inside the workspace', {
      nativeCode: 'ENOENT',
      remedy: 'Check its name; programs outside the system directories must be on PATH or named under policy.filesystem.read.',
    })
  }
  const { message: text, details } = nativeFailure('exec', code)
  return new BulkheadError('launch_not_executable', text, {
    ...details,
    remedy: 'Check that it is executable and has an interpreter line.',
  })
}

function decodeExit(frame: FrameReader): Exit {
  const signalled = frame.u8() === 1
  const number = frame.u32()
  const rule = frame.u32()
  return {
    code: signalled ? null : number,
    signal: signalled ? (signalNames.get(number) ?? 'SIGKILL') : null,
    killedByRule: rule === noRule ? null : rule,
  }
}
