import type { RepositoryApp } from '../../compose.ts'
import type { JobView } from '../../contracts/job.ts'
import { examples, inRepository, onRepository, type CommonOptions, withJson } from '../app.ts'
import { escapeLine, escapeText } from '../render/escape.ts'
import { changes, elapsed, walls } from '../render/job.ts'
import { table } from '../render/table.ts'
import type { Verb } from '../verb.ts'

export const show: Verb = {
  register(program, context) {
    const command = onRepository(program.command('show'))
      .argument('<job>', 'name or id')
      .description('Show one job with its walls, evidence, denials and gates')
    withJson(command, 'the job with its events').action(async (name: string, options: CommonOptions) => {
      await inRepository(context, options, async (app) => {
        const view = app.job(name)
        if (options.json === true) return context.terminal.json({ ...view, events: app.journal.events({ job: view.spec.id }) })
        for (const line of describe(app, view)) context.terminal.out(line)
      })
    })
    examples(command, ['bulkhead show fix-flaky-test', 'bulkhead show fix-flaky-test --json | jq .events'])
  },
}

function describe(app: RepositoryApp, view: JobView): string[] {
  const { spec } = view
  const needs = new Map(app.jobs().map((one) => [one.spec.id, one.spec.name]))
  const facts: readonly (readonly [string, string])[] = [
    ['job', `${spec.name} (${spec.id})`],
    ['status', view.reason === null ? view.status : `${view.status}: ${view.reason}`],
    ['agent', `${spec.agent.name} (${spec.agent.adapter})`],
    ['environment', spec.environment.name],
    ['walls', walls(view)],
    ['needs', spec.needs.map((id) => needs.get(id) ?? id).join(', ')],
    ['target', spec.target],
    ['base', spec.base],
    ['commit', view.commit ?? ''],
    ['landed', view.landed ?? ''],
    ['changes', changes(view.counts)],
    ['time', elapsed(view, Date.now())],
    ['attempt', view.attempt === 0 ? '' : `${view.attempt} of ${spec.retry.attempts}`],
    ['log', app.logFile(spec)],
  ]
  return [
    ...table(facts.filter(([, value]) => value !== '')),
    ...section('prompt', escapeText(spec.prompt).split('\n')),
    ...section('evidence of the last attempt', evidence(app, spec.id)),
    ...section('denials', denials(app, spec.id)),
    ...section('gates', gates(app, spec.id)),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)]
}

function evidence(app: RepositoryApp, job: string): string[] {
  const last = app.journal.events({ job }).findLast((event) => event.type === 'job.verified')
  return (last?.data.evidence ?? []).map(({ claim, held, detail }) => escapeLine(`${held ? 'held  ' : 'BROKEN'} ${claim}: ${detail}`))
}

/** Alike ones once, with their number. */
function denials(app: RepositoryApp, job: string): string[] {
  const counts = new Map<string, number>()
  for (const event of app.journal.events({ job })) {
    if (event.type !== 'job.denial') continue
    const { layer, reason, object, action, remedy, lost } = event.data
    const line = escapeLine(`${action} ${object} (${layer}: ${reason})${remedy === null ? '' : `; to allow it: ${remedy}`}`)
    counts.set(line, (counts.get(line) ?? 0) + 1 + lost)
  }
  return [...counts].map(([line, count]) => `${count} × ${line}`)
}

function gates(app: RepositoryApp, job: string): string[] {
  return app.journal.events({ job }).flatMap((event) => {
    if (event.type !== 'merge.gate') return []
    const { name, passed, output } = event.data
    return [
      `${name}: ${passed ? 'passed' : 'failed'}`,
      ...(passed
        ? []
        : escapeText(output)
            .trimEnd()
            .split('\n')
            .map((line) => `  ${line}`)),
    ]
  })
}
