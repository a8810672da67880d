import { execFileSync, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Bulkhead, ShownJob } from './bulkhead.ts'
import type { Stage } from './stage.ts'

export interface ReportParts {
  readonly stage: Stage
  readonly bulkhead: Bulkhead
  readonly root: string
  readonly before: string
  readonly phases: readonly { readonly name: string; readonly ms: number }[]
}

interface Attempt {
  readonly attempt: string
  readonly succeeded: boolean
  readonly detail: string
}

interface Check {
  readonly text: string
  readonly holds: boolean
}

/** Prints what landed, what was denied, what each layer enforced and how long it took; true when everything is as it must be. */
export async function report({ stage, bulkhead, root, phases }: ReportParts): Promise<boolean> {
  const jobs = await Promise.all(['fix-hosts', 'licence-headers', 'narrow-lines'].map((name) => bulkhead.show(name)))
  const [fix, licence, format] = jobs as [ShownJob, ShownJob, ShownJob]
  const inside = attemptsIn(await bulkhead.output('narrow-lines'))
  const visitsFromInside = stage.visits()
  const plantedFromInside = existsSync(stage.planted)
  const control = await runControl(stage, root)
  const git = (...args: string[]): string => execFileSync('git', ['-C', stage.repository, ...args], { encoding: 'utf8' }).trim()

  console.log('\nWhat landed on main')
  console.log(indent(git('log', '--format=%h %s', '-2', 'main')))
  console.log('\nWhat an agent tried                  without walls  behind the walls')
  for (const { attempt, succeeded, detail } of inside) {
    const free = control.find((one) => one.attempt === attempt)?.succeeded === true
    console.log(
      `  ${attempt.padEnd(34)} ${(free ? 'succeeds' : 'fails').padEnd(14)} ${succeeded ? `SUCCEEDED: ${detail}` : `stopped: ${detail}`}`,
    )
  }
  console.log('\nWhat was denied, as events')
  for (const event of format.events) {
    if (event.type === 'job.denial') console.log(`  ${event.data.layer}: ${event.data.reason} ${JSON.stringify(event.data.object)}`)
  }
  printLayers(fix)
  console.log('\nHow long it took')
  for (const { name, ms } of phases) console.log(`  ${name.padEnd(24)} ${(ms / 1000).toFixed(2)} s`)

  const denied = new Set(format.events.flatMap((event) => (event.type === 'job.denial' ? [event.data.layer] : [])))
  const checks: Check[] = [
    { text: 'two changes landed', holds: fix.status === 'merged' && licence.status === 'merged' },
    { text: 'the fault is gone from main', holds: git('log', '--format=%s', 'main').includes('host') && hostGrammarIsWhole(git) },
    {
      text: 'each landed exactly once',
      holds: [fix, licence].every((job) => job.events.filter(({ type }) => type === 'merge.landed').length === 1),
    },
    {
      text: 'the rejected work is kept',
      holds: format.status === 'rejected' && format.commit !== null && git('cat-file', '-t', format.commit) === 'commit',
    },
    { text: 'the rejected work is not on main', holds: !git('show', 'main:.oxfmtrc.json').includes('100') },
    { text: 'every attempt to get out succeeds without walls', holds: control.length === 4 && control.every(({ succeeded }) => succeeded) },
    { text: 'every attempt to get out was stopped', holds: inside.length === 4 && inside.every(({ succeeded }) => !succeeded) },
    { text: 'nothing was planted and nobody called from inside', holds: !plantedFromInside && visitsFromInside === 0 },
    { text: 'denials were reported by network and interception', holds: denied.has('network') && denied.has('interception') },
    { text: 'all walls were attacked and held', holds: jobs.every(allHeld) },
  ]
  console.log('\nIs it so?')
  for (const { text, holds } of checks) console.log(`  ${holds ? 'yes' : 'NO '}  ${text}`)
  return checks.every(({ holds }) => holds)
}

function hostGrammarIsWhole(git: (...args: string[]) => string): boolean {
  return git('show', 'main:gateway/host.ts').includes("labels.at(-1) ?? ''")
}

/** One per kind: an agent that was interrupted tries again. It got out when it did so once. */
function attemptsIn(output: string): Attempt[] {
  const attempts = output
    .split('\n')
    .filter((line) => line.startsWith('{"attempt"'))
    .map((line) => JSON.parse(line) as Attempt)
  const kinds = [...new Set(attempts.map(({ attempt }) => attempt))]
  return kinds.flatMap(
    (kind) => attempts.find((one) => one.attempt === kind && one.succeeded) ?? attempts.findLast((one) => one.attempt === kind) ?? [],
  )
}

/** The same program with the same arguments, with no walls. The server answers in this process, so it must not be blocked meanwhile. */
async function runControl(stage: Stage, root: string): Promise<Attempt[]> {
  const script = join(root, 'demo/agents/intruder.mjs')
  const child = spawn(process.execPath, [script, stage.secret, stage.planted, stage.collector, '/usr/bin/id'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  rmSync(stage.planted, { force: true })
  return attemptsIn(output)
}

function printLayers(job: ShownJob): void {
  const prepared = job.events.findLast((event) => event.type === 'job.prepared')
  const verified = job.events.findLast((event) => event.type === 'job.verified')
  const held = new Set((verified?.data.evidence ?? []).filter((one) => one.held).map(({ claim }) => claim))
  console.log('\nWhat each layer enforced')
  for (const { layer, plugin, tier, enforces } of prepared?.data.plans ?? []) {
    console.log(
      `  ${layer} (${plugin}, ${tier}): ${enforces.filter(({ id }) => held.has(id)).length} of ${enforces.length} claims attacked and held`,
    )
  }
}

function allHeld(job: ShownJob): boolean {
  const verified = job.events.findLast((event) => event.type === 'job.verified')
  return verified !== undefined && verified.data.evidence.length > 0 && verified.data.evidence.every(({ held }) => held)
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
