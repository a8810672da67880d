import type { JobSpec } from '../contracts/job.ts'
import type { CommitMessage } from '../contracts/workspace.ts'

const longest = 72

/** The commit that holds a job's work: the prompt's first line says what was asked for, trailers say who did it. */
export function commitMessage(spec: JobSpec, trailers: Readonly<Record<string, string>> = {}): CommitMessage {
  return {
    subject: subjectOf(spec),
    body: '',
    trailers: { 'Bulkhead-Job': spec.id, 'Bulkhead-Agent': spec.agent.name, ...trailers },
  }
}

function subjectOf(spec: JobSpec): string {
  const lines = spec.prompt.split(/\r\n|[\n\r\u2028\u2029]/)
  // Control and format characters (also those that turn the reading direction) have no place in a subject.
  const clean = lines.map((line) => line.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()).find((line) => line !== '') ?? spec.name
  // The segmenter needs time in the square of the length: 40 s for the 140 kB of a long prompt.
  const start = clean.slice(0, longest * 20)
  const characters = Array.from(new Intl.Segmenter().segment(start), ({ segment }) => segment)
  // What was cut may have cut a character.
  if (start.length < clean.length) characters.pop()
  return start === clean && characters.length <= longest
    ? clean
    : `${characters
        .slice(0, longest - 1)
        .join('')
        .trimEnd()}…`
}
