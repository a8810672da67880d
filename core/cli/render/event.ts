import type { EventType, JournalEvent } from '../../contracts/event.ts'
import { escapeLine } from './escape.ts'
import { formatElapsed } from './time.ts'

type Texts = { readonly [T in EventType]: (event: JournalEvent<T>) => string | null }

/** One line for people; null for what only machines want to know. */
export function eventLine(event: JournalEvent, name: string): string | null {
  const text = (texts[event.type] as (event: JournalEvent) => string | null)(event)
  return text === null ? null : escapeLine(`${name}: ${text}`)
}

/** For denials: what a layer calls it, and the line of policy that would allow it. */
function denied({ data }: JournalEvent<'job.denial'>): string {
  const what = `${data.action === 'allow' ? 'noticed' : data.action === 'kill' ? 'killed for' : 'denied'} ${data.object} (${data.layer}: ${data.reason})`
  const program = data.program === null ? '' : ` by ${data.program}`
  const more = data.lost === 0 ? '' : `, and ${data.lost} more that came too fast`
  const remedy = data.remedy === null ? '' : `; to allow it: ${data.remedy}`
  return `${what}${program}${more}${remedy}`
}

const texts: Texts = {
  'job.submitted': () => 'queued',
  'job.claimed': ({ data }) => (data.attempt === 1 ? 'preparing' : `preparing, attempt ${data.attempt}`),
  'job.prepared': ({ data }) => (data.degraded.length === 0 ? null : `runs with degraded ${data.degraded.join(', ')}, as configured`),
  'job.verified': ({ data: { evidence } }) => (evidence.length === 0 ? 'no walls' : `walls held against ${evidence.length} attacks`),
  'job.started': () => 'running',
  'job.denial': denied,
  'job.asked': ({ data: { question, on, object, program } }) =>
    `asks for ${on} ${object}${program === '' ? '' : ` by ${program}`} (question ${question}: bulkhead answer)`,
  'job.answered': ({ data }) =>
    `question ${data.question}: ${data.allow ? 'allowed' : 'denied'} ${data.by === 'bulkhead' ? 'because nobody answered in time' : `by ${data.by}`}`,
  'job.changed': () => null,
  'job.exited': ({ data }) => (data.reason === 'exited' && data.code === 0 ? null : `agent ended: ${ending(data)}`),
  'job.finished': ({ data: { counts, tree } }) =>
    tree === null
      ? 'finished, nothing was changed'
      : `finished, ${counts.files} files changed (+${counts.insertions} -${counts.deletions})`,
  'job.failed': ({ at, data }) => {
    if (data.retryAt !== null) return `failed: ${data.message}; next attempt in ${formatElapsed(data.retryAt - at)}`
    return data.remedy === undefined ? `failed: ${data.message}` : `failed: ${data.message}; ${data.remedy}`
  },
  'job.interrupted': ({ data }) => (data.reason === 'died' ? 'interrupted: its process died; queued again' : 'interrupted; queued again'),
  'job.cancel-requested': ({ data }) => `${data.by} asked to stop it`,
  'job.cancelled': ({ data }) => `stopped by ${data.by}`,
  'job.removed': ({ data }) => (data.backup === null ? 'removed' : `removed; its work is kept as ${data.backup}`),
  'review.approved': ({ data }) => `approved by ${data.by} (tree ${data.tree.slice(0, 12)})`,
  'review.rejected': ({ data }) => `rejected by ${data.by}${data.reason === '' ? '' : `: ${data.reason}`}`,
  'merge.requested': ({ data }) => `merging into ${data.target}`,
  'merge.candidate': ({ data }) => `candidate ${data.commit.slice(0, 12)} on ${data.onto.slice(0, 12)}`,
  'merge.gate': ({ data }) => `gate ${data.name} ${data.passed ? 'passed' : 'failed'} in ${formatElapsed(data.durationMs)}`,
  'merge.landed': ({ data }) => `landed on ${data.target} as ${data.commit.slice(0, 12)}`,
  'merge.failed': ({ data }) => `did not land: ${data.message}${data.paths.length === 0 ? '' : ` (${data.paths.join(', ')})`}`,
  'queue.paused': ({ data }) => `queue paused by ${data.by}`,
  'queue.resumed': ({ data }) => `queue resumed by ${data.by}`,
}

function ending({ code, signal, reason }: JournalEvent<'job.exited'>['data']): string {
  if (reason !== 'exited') return reason
  return code === null ? `signal ${signal}` : `exit code ${code}`
}
