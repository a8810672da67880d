import { createInterface } from 'node:readline'
import { createHost, createLauncher } from '../../native/index.ts'
import type { EnvironmentSpec, Evidence, Exit, Policy, WorkspaceView } from '../../core/contracts/index.ts'
import { EnforcementPipeline } from '../../core/enforcement/pipeline.ts'
import { layerPlugins } from '../../plugins/index.ts'
import { FakeReceipts } from './fake-receipts.ts'

/**
 * What is to be run behind which walls, as another user if need be: each line of standard input is one of these, and is answered by an
 * `EnterAnswer` on standard output. One process for many, because starting it costs more than all it does.
 */
export interface EnterScript {
  readonly environment: EnvironmentSpec
  readonly policy: Policy
  readonly workspace: WorkspaceView
  readonly commands: readonly (readonly string[])[]
}

export interface EnterAnswer {
  readonly results: readonly EnterResult[]
  /** Receipts that were not settled: 0 unless something is wrong. */
  readonly unsettled: number
}

export type EnterResult =
  | {
      readonly entered: true
      readonly evidence: readonly Evidence[]
      readonly exit: Exit
      readonly stdout: string
      readonly stderr: string
    }
  | { readonly entered: false; readonly code: string; readonly message: string }

async function main(): Promise<void> {
  await using launcher = createLauncher()
  const receipts = new FakeReceipts()
  const enforcement = new EnforcementPipeline({
    plugins: layerPlugins,
    host: createHost(launcher),
    launcher,
    journal: receipts,
    orchestrator: () => 'test',
    isAlive: () => true,
  })
  for await (const line of createInterface({ input: process.stdin })) {
    const script = JSON.parse(line) as EnterScript
    const results: EnterResult[] = []
    for (const argv of script.commands) results.push(await run(enforcement, script, argv))
    const answer: EnterAnswer = { results, unsettled: receipts.stored.size }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}

async function run(enforcement: EnforcementPipeline, script: EnterScript, argv: readonly string[]): Promise<EnterResult> {
  try {
    await using entered = await enforcement.enter({
      job: 'job_000000000001',
      environment: script.environment,
      policy: script.policy,
      workspace: script.workspace,
      command: { argv, directory: script.workspace.path, environment: {} },
      stdio: { kind: 'pipes' },
      signal: new AbortController().signal,
      onDenial: () => undefined,
    })
    const { sandbox, evidence } = entered
    sandbox.stdin?.end()
    const output = Promise.all([text(sandbox.stdout), text(sandbox.stderr)])
    await sandbox.start()
    const exit = await sandbox.exited
    const [stdout, stderr] = await output
    return { entered: true, evidence, exit, stdout, stderr }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return { entered: false, code: code ?? 'none', message }
  }
}

async function text(stream: AsyncIterable<unknown> | null): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

await main()
