/** One component of a pattern: any number of components, one literal name, or a name with `*` in it. */
export type Segment =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'glob'; readonly match: RegExp }

export interface DenyPattern {
  readonly text: string
  /** From the root of the filesystem. */
  readonly segments: readonly Segment[]
  readonly directoriesOnly: boolean
}

/**
 * `*` and `**` as in gitignore(5): without a slash in it a relative pattern matches at any depth, with one it starts at the workspace; a
 * slash at the end means directories only. Everything else in gitignore's language is refused rather than taken literally, because a
 * pattern that was meant otherwise would hide nothing. Undefined when the pattern is not understood.
 */
export function parseDeny(text: string, workspace: string): DenyPattern | undefined {
  if (/[?[\]{}\\\0\n]|^!|^#/.test(text)) return undefined
  const directoriesOnly = text.endsWith('/')
  const body = text.replace(/\/+$/, '').replace(/^(?:\.\/)+/, '')
  const components = body.split('/').filter((component, index) => component !== '' || index > 0)
  if (components.length === 0 || components.some((component) => ['', '.', '..'].includes(component))) return undefined
  const anywhere = !text.startsWith('/') && !text.startsWith('./') && components.length === 1
  const base = text.startsWith('/') ? [] : workspace.split('/').slice(1).map(literal)
  const own = components.map(segment)
  return { text, segments: [...base, ...(anywhere ? [{ kind: 'any' } as const] : []), ...own], directoriesOnly }
}

/** True when the pattern has a wildcard of its own, so that names it will match need not exist yet. */
export function isOpenEnded(text: string): boolean {
  return text.includes('*') || (!text.startsWith('/') && !text.includes('/'))
}

/** The directory before the first wildcard of an absolute pattern. */
export function fixedPart(text: string): string {
  const components = text.split('/')
  const wild = components.findIndex((component) => component.includes('*'))
  return (wild < 0 ? text : components.slice(0, wild).join('/')).replace(/\/+$/, '') || '/'
}

function segment(component: string): Segment {
  if (component === '**') return { kind: 'any' }
  if (!component.includes('*')) return literal(component)
  const source = component.split(/\*+/).map((part) => part.replaceAll(/[.+^$()|]/g, String.raw`\$&`))
  return { kind: 'glob', match: new RegExp(`^${source.join('.*')}$`, 's') }
}

function literal(name: string): Segment {
  return { kind: 'name', name }
}
