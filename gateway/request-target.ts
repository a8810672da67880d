import type { Authority } from './host.ts'
import { parseAuthority } from './host.ts'

/** RFC 9112 3.2: the forms of a request target, but for the authority form of CONNECT. */
export type RequestTarget =
  | { readonly form: 'origin'; readonly path: string }
  | { readonly form: 'absolute'; readonly authority: Authority; readonly path: string }

/**
 * Splits a request target by hand: the URL standard's parser would repair what must be refused (other notations of addresses,
 * backslashes, tabs, userinfo). null: none of the two forms, or another scheme than http.
 */
export function parseRequestTarget(text: string): RequestTarget | null {
  if (text.includes('#') || text.includes('\\')) return null
  if (text.startsWith('/') || text === '*') return { form: 'origin', path: text }
  const parts = /^http:\/\/([^/?]+)(.*)$/i.exec(text)
  const authority = parseAuthority(parts?.[1] ?? '', 80)
  if (parts === null || authority === null) return null
  const rest = parts[2] ?? ''
  return { form: 'absolute', authority, path: rest.startsWith('/') ? rest : `/${rest}` }
}
