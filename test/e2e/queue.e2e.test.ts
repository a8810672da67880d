import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { JobView } from '../../core/contracts/index.ts'
import { Desk, identities, processesWith } from '../support/desk.ts'

const configuration = `version: 1
agents:
  sh: { adapter: agent-command, command: [sh, -c, "{prompt}"] }
`

const statuses = (desk: Desk): Record<string, string> =>
  Object.fromEntries((desk.json('ls') as readonly JobView[]).map(({ spec, status }) => [spec.name, status]))

describe.each(identities)('as $name', (identity) => {
  test('200 jobs that do nothing run eight at a time without an error', () => {
    using desk = new Desk(identity, configuration)
    const names = Array.from({ length: 200 }, (_, index) => `job-${index}`)
    const file = join(desk.directory, 'jobs.yaml')
    writeFileSync(file, `jobs:\n${names.map((name) => `  - { name: ${name}, prompt: "true" }\n`).join('')}`)
    const { code, stderr } = desk.run('run', '-f', file, '--concurrency', '8')
    expect(`${code} ${stderr}`).toMatch(/^0 /)
    const found = statuses(desk)
    expect(Object.keys(found).toSorted()).toEqual(names.toSorted())
    expect(new Set(Object.values(found))).toEqual(new Set(['finished']))
  })

  test('Ctrl-C leaves no process and no half-made worktree, and the job goes on later', async () => {
    using desk = new Desk(identity, configuration)
    const marker = `4${process.pid}.25`
    const child = desk.start('run', `setsid sleep ${marker} & sleep ${marker}`, '--name', 'long')
    for (let waited = 0; processesWith(`sleep ${marker}`).length < 2 && waited < 600; waited++) await sleep(50)
    expect(processesWith(`sleep ${marker}`).length).toBeGreaterThanOrEqual(2)
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(130)
    expect(processesWith(`sleep ${marker}`)).toEqual([])
    expect(statuses(desk)).toEqual({ long: 'queued' })
    const locks = readdirSync(join(desk.repository, '.git'), { recursive: true }).filter((name) => String(name).endsWith('.lock'))
    expect(locks).toEqual([])
  })

  test('two orchestrators at once run every job exactly once, and a killed one’s job is run again', async () => {
    using desk = new Desk(identity, configuration)
    const jobs = Array.from({ length: 12 }, (_, index) => `  - { name: j${index}, prompt: "echo run >> out-${index}; sleep 0.2" }\n`)
    const file = join(desk.directory, 'jobs.yaml')
    writeFileSync(file, `jobs:\n${jobs.join('')}`)
    const first = desk.start('run', '-f', file, '--concurrency', '2')
    for (let waited = 0; Object.keys(await safely(desk)).length < 12 && waited < 300; waited++) await sleep(50)
    const second = desk.start('run', '--concurrency', '2')
    for (let waited = 0; !Object.values(await safely(desk)).includes('finished') && waited < 300; waited++) await sleep(50)
    process.kill(-(first.pid ?? 0), 'SIGKILL')
    await new Promise((resolve) => second.once('exit', resolve))
    expect(desk.run('run').code).toBe(0)
    const views = desk.json('ls') as readonly JobView[]
    expect(views.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 'finished'))
    // Each job’s work is there once: an interrupted attempt’s workspace is used again, so its line may stand there already, never a third time.
    for (const { spec, counts } of views) expect(`${spec.name} ${counts.insertions}`).toMatch(/ [12]$/)
  })
})

async function safely(desk: Desk): Promise<Record<string, string>> {
  const { code, stdout } = desk.run('ls', '--json')
  const views = code === 0 ? (JSON.parse(stdout) as readonly JobView[]) : []
  return Object.fromEntries(views.map(({ spec, status }) => [spec.name, status]))
}
