import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandApp } from '../../compose-command.ts'
import { BulkheadError } from '../../contracts/error.ts'
import type { Attested, EnterRequest } from '../../contracts/enforcement.ts'
import type { EnvironmentSpec } from '../../contracts/job.ts'

/**
 * Builds the walls of an environment around an empty workspace, as for a job, attacks every claim of every layer against the kernel that runs
 * here, and says what held. When all of it did, a harmless command must also be able to run behind them.
 */
export async function attestEnvironment(app: CommandApp, environment: EnvironmentSpec): Promise<readonly Attested[]> {
  const base = await mkdtemp(join(tmpdir(), 'bulkhead-attest-'))
  try {
    const request = await requestFor(app, environment, base)
    const evidence = await app.enforcement.attest(request)
    if (evidence.every(({ held }) => held)) await runHarmless(app, request)
    return evidence
  } finally {
    await rm(base, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A workspace as one is made for a job: layers may set it up while it is empty. */
async function requestFor(app: CommandApp, environment: EnvironmentSpec, base: string): Promise<EnterRequest> {
  const directory = join(base, 'workspace')
  const places = { path: join(directory, 'tree'), gitDirectory: join(directory, 'git') }
  await mkdir(directory)
  await app.enforcement.prepare(environment, { directory, ...places, making: places })
  for (const path of [join(places.path, '.git'), places.gitDirectory]) await mkdir(path, { recursive: true })
  return {
    job: `attest-${process.pid}`,
    environment,
    policy: app.configuration.policy,
    workspace: { ...places, objectStores: [], owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 } },
    command: { argv: app.harmless, directory: places.path, environment: {} },
    stdio: { kind: 'pipes' },
    signal: new AbortController().signal,
    onDenial: () => {},
  }
}

async function runHarmless(app: CommandApp, request: EnterRequest): Promise<void> {
  const enforced = await app.enforcement.enter(request)
  try {
    await enforced.sandbox.start()
    const { code, signal } = await enforced.sandbox.exited
    if (code === 0) return
    const end = code === null ? `was ended by ${signal}` : `ended with code ${code}`
    throw new BulkheadError('layer_unverified', `every wall holds, but ${app.harmless.join(' ')} behind them ${end}`, {
      remedy: 'Report this: the walls keep out what every program needs.',
    })
  } finally {
    await enforced[Symbol.asyncDispose]()
  }
}
