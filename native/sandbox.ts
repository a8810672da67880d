import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Attempt, Exit, Intercepted, Outcome, ProcessIdentity, Question, Sandbox } from '../core/contracts/index.ts'
import { BulkheadError } from '../core/contracts/index.ts'
import { launchFailure, nativeFailure } from './error.ts'
import type { ErrorTable } from './error.ts'
import type { FrameReader } from './frame.ts'
import { FrameSplitter, FrameWriter } from './frame.ts'
import { decodeOutcomes, encodeAttempts, message } from './messages.ts'

const noRule = 0xffff_ffff
const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]))

/** The agent's streams; null where they are the caller's own. */
export interface Streams {
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
}

/** How one supervisor is reached. All that differs between systems once a launch was sent. */
export interface SupervisorLink {
  /** Frames of `include/bulkhead.h`, both ways. */
  readonly input: Readable
  readonly output: Writable
  readonly errors: ErrorTable
  /** What is to be run, as the user named it. */
  readonly program: string
  /** Descriptors of the listeners that a BH_HELD frame counts. */
  takeListeners(): readonly number[]
  isAlive(process: ProcessIdentity): boolean
  /** Called once, at the end. `lost`: the supervisor was killed, and what it did to the user's terminal has to be undone. */
  close(lost: boolean): void
}

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
  readonly #link: SupervisorLink
  readonly #held = defer<void>()
  readonly #started = defer<void>()
  readonly #exited = defer<Exit>()
  readonly #attempts: Deferred<readonly Outcome[]>[] = []
  readonly #observers: ((event: Intercepted) => void)[] = []
  #answer: (question: Question) => Promise<boolean> = async () => false
  #failure: Error | undefined
  #startRequested = false
  #over = false
  #losing = false

  constructor(link: SupervisorLink, streams: Streams) {
    this.#link = link
    this.stdin = streams.stdin
    this.stdout = streams.stdout
    this.stderr = streams.stderr
    const splitter = new FrameSplitter()
    link.input.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) this.#hear(frame)
    })
    for (const stream of new Set([link.input, link.output])) stream.on('error', () => undefined)
    link.input.on('end', () => void this.#lose())
    link.input.on('close', () => void this.#lose())
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
    this.#link.output.write(encodeAttempts(attempts))
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

  onAsked(listener: (question: Question) => Promise<boolean>): void {
    this.#answer = listener
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill()
    await this.exited
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy()
  }

  #say(w: FrameWriter): void {
    if (!this.#over) this.#link.output.write(w.finish())
  }

  #hear(frame: FrameReader): void {
    switch (frame.type) {
      case message.held:
        this.process = { pid: frame.u32(), startTime: frame.text() }
        this.#takeListeners(frame.u32())
        break
      case message.outcomes:
        this.#attempts.shift()?.resolve(decodeOutcomes(frame, this.#link.errors.name))
        break
      case message.started:
        // Where what was held was a probe, the command is another process.
        if (frame.more) this.process = { pid: frame.u32(), startTime: frame.text() }
        this.#started.resolve()
        break
      case message.execFailed:
        this.#started.reject(launchFailure(this.#link.errors, this.#link.program, frame.u32()))
        break
      case message.intercepted:
        this.#report(frame)
        break
      case message.asked:
        void this.#ask(frame)
        break
      case message.error: {
        const code = frame.u32()
        this.#failure = nativeFailure(this.#link.errors, frame.text(), code)
        break
      }
      case message.gone:
        this.#finish(decodeExit(frame))
        break
    }
  }

  #takeListeners(count: number): void {
    try {
      if (count > 0) this.listeners = this.#link.takeListeners()
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

  async #ask(frame: FrameReader): Promise<void> {
    const w = new FrameWriter(message.verdict)
    w.u32(frame.u32())
    const question: Question = { rule: frame.u32(), on: frame.text(), pid: frame.u32(), program: frame.text(), object: frame.text() }
    const allowed = await this.#answer(question).catch(() => false)
    w.bool(allowed)
    this.#say(w)
  }

  /** The supervisor ended without a word: it was killed. The kernel ends the sandbox after it, but not in the same moment. */
  async #lose(): Promise<void> {
    if (this.#losing || this.#over) return
    this.#losing = true
    while (this.process.pid !== 0 && this.#link.isAlive(this.process)) await new Promise((resolve) => setTimeout(resolve, 2))
    this.#finish({ code: null, signal: 'SIGKILL', killedByRule: null }, true)
  }

  #finish(exit: Exit, lost = false): void {
    if (this.#over) return
    this.#over = true
    this.#link.close(lost)
    const ended = this.#ended()
    this.#held.reject(ended)
    this.#started.reject(ended)
    for (const attempt of this.#attempts) attempt.reject(ended)
    this.#exited.resolve(exit)
  }

  #ended(): Error {
    return this.#failure ?? new BulkheadError('native_failed', 'the sandbox ended before its command was started', { operation: 'launch' })
  }
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
