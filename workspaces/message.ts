import type { CommitMessage } from '../core/contracts/workspace.ts'
import { visible, visibleLine } from './visible.ts'

/** Trailer that names the job a commit landed for; how a later run knows that it did. */
export const jobTrailer = 'Bulkhead-Job'

/** Who a commit is by. `.invalid` is reserved (RFC 2606), so nobody can be impersonated. */
export interface Identity {
  readonly name: string
  readonly email: string
}

const committer: Identity = { name: 'Bulkhead', email: 'bulkhead@bulkhead.invalid' }

/**
 * The text of a commit. Only `message.trailers` become trailers: a line of the body that looks like one of Bulkhead's is quoted, so that a
 * prompt cannot claim another job's landing.
 */
export function messageText(message: CommitMessage, fallback: string): string {
  const subject = visibleLine(message.subject.trim(), 200) || fallback
  const body = visible(message.body)
    .split('\n')
    .map((line) => (/^\s*bulkhead-/i.test(line) ? `> ${line}` : line.trimEnd()))
    .join('\n')
    .trim()
  const trailers = Object.entries(message.trailers)
    .filter(([key]) => /^[A-Za-z][A-Za-z0-9-]{0,60}$/.test(key))
    .map(([key, value]) => `${key}: ${visibleLine(value, 500)}`)
  return [subject, body, trailers.join('\n')].filter((part) => part !== '').join('\n\n') + '\n'
}

/** The author is the agent, as the orchestrator knows it (`Bulkhead-Agent`), never as it calls itself. */
export function authorOf(message: CommitMessage, name: string): Identity {
  const agent = message.trailers['Bulkhead-Agent'] ?? ''
  const author = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(agent) ? agent : name
  return { name: author, email: `${author}@bulkhead.invalid` }
}

/** Configuration that makes `commit-tree` use these identities (git-config(1), `author.*`, `committer.*`). */
export function identityConfig(author: Identity): Record<string, string> {
  return {
    'author.name': author.name,
    'author.email': author.email,
    'committer.name': committer.name,
    'committer.email': committer.email,
  }
}
