import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const jobCount = Number(process.env['BENCH_JOBS'] ?? 200)
const concurrency = 8

/** What a job costs that does nothing: workspace, four walls, agent, intake, journal. Beside it the same command plainly spawned. */
export async function benchJobs(root: string): Promise<void> {
  const directory = mkdtempSync('/var/tmp/bulkhead-bench-')
  try {
    const repository = join(directory, 'repository')
    const git = (...args: string[]): void => void execFileSync('git', ['-C', repository, ...args], { stdio: 'ignore' })
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', repository])
    git('-c', 'user.name=Bench', '-c', 'user.email=bench@bulkhead.invalid', 'commit', '--allow-empty', '--message', 'First')
    const config = join(directory, 'bulkhead.yaml')
    const jobs = join(directory, 'jobs.yaml')
    writeFileSync(config, 'version: 1\nagents: { nothing: { adapter: agent-command, prompt: none, command: ["true"] } }\n')
    const names = Array.from({ length: jobCount }, (_, index) => `  - { name: job-${index}, prompt: Nothing }\n`)
    writeFileSync(jobs, `jobs:\n${names.join('')}`)

    const plain = await timed(() => spawnAll(jobCount))
    const queued = await timed(async () => {
      const args = [join(root, 'dist/cli/main.js'), 'run', '--config', config, '-f', jobs, '--concurrency', String(concurrency), '--json']
      const environment = { ...process.env, BULKHEAD_STATE: join(directory, 'state') }
      const result = spawnSync(process.execPath, args, { cwd: repository, env: environment, encoding: 'utf8', maxBuffer: 1 << 28 })
      if (result.status !== 0) throw new Error(`bulkhead run ended with ${result.status}: ${result.stderr}`)
    })
    console.log(`\n${jobCount} jobs that do nothing, ${concurrency} at a time`)
    console.log(`  plain spawn      ${(plain / jobCount).toFixed(2)} ms each`)
    console.log(`  bulkhead run     ${(queued / jobCount).toFixed(2)} ms each   x${(queued / plain).toFixed(1)}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function timed(act: () => Promise<void>): Promise<number> {
  const begin = performance.now()
  await act()
  return performance.now() - begin
}

async function spawnAll(count: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next++ < count) {
      await new Promise<void>((resolve, reject) => {
        spawn('/bin/true', [], { stdio: 'ignore' })
          .once('error', reject)
          .once('exit', () => resolve())
      })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
