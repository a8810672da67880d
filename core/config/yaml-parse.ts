import type { Document, LineCounter, Node } from 'yaml'
import { isMap, isPair, isScalar, LineCounter as Lines, parseAllDocuments, visit } from 'yaml'
import { BulkheadError } from '../contracts/error.ts'
import type { KeyPath, YamlFile } from './located.ts'

/** Throws `config_syntax` with every mistake. */
export function parseYaml(path: string, text: string): YamlFile {
  const lines = new Lines()
  const documents = parseAllDocuments(text, { lineCounter: lines, schema: 'core', version: '1.2', uniqueKeys: true, prettyErrors: false })
  const [document, second] = Array.isArray(documents) ? documents : []
  const mistakes = (Array.isArray(documents) ? documents : []).flatMap(({ errors }) => errors)
  if (mistakes.length > 0) {
    throw syntaxError(
      mistakes.slice(0, 20).map((mistake) => ({ where: position(path, lines, mistake.pos[0]), rule: oneLine(mistake.message) })),
    )
  }
  if (second !== undefined) {
    throw syntaxError([{ where: position(path, lines, second.range[0]), rule: 'the file holds more than one document; only one is read' }])
  }
  if (document !== undefined) refuseProto(path, lines, document)
  return {
    path,
    value: document === undefined ? null : plain(path, document),
    at: (keys) => position(path, lines, offsetOf(document, keys)),
    atKey: (keys, key) => position(path, lines, offsetOfKey(document, keys, key) ?? offsetOf(document, keys)),
  }
}

function plain(path: string, document: Document.Parsed): unknown {
  try {
    // Aliases are expanded; a hundred is more than a person writes and too few to fill the memory.
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw syntaxError([{ where: `${path}:1:1`, rule: oneLine(error instanceof Error ? error.message : String(error)) }])
  }
}

/** A key of this name would be lost on the way through JavaScript objects, instead of being refused as unknown. */
function refuseProto(path: string, lines: LineCounter, document: Document.Parsed): void {
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== '__proto__') return
      throw syntaxError([{ where: position(path, lines, pair.key.range?.[0] ?? 0), rule: 'no key can be called "__proto__"' }])
    },
  })
}

function syntaxError(found: readonly { readonly where: string; readonly rule: string }[]): BulkheadError {
  const remedy = 'Correct the YAML at this place.'
  const errors = found.map(({ where, rule }) => new BulkheadError('config_syntax', rule, { where, remedy }))
  const [first] = errors
  if (first !== undefined && errors.length === 1) return first
  return new BulkheadError('config_syntax', `the file has ${errors.length} mistakes`, { cause: new AggregateError(errors) })
}

function offsetOf(document: Document.Parsed | undefined, keys: KeyPath): number {
  for (let length = keys.length; length >= 0; length--) {
    const node = document?.getIn(keys.slice(0, length), true) as Node | undefined
    const start = node?.range?.[0]
    if (start !== undefined) return start
  }
  return 0
}

function offsetOfKey(document: Document.Parsed | undefined, keys: KeyPath, key: string): number | undefined {
  const parent = keys.length === 0 ? document?.contents : document?.getIn(keys, true)
  if (!isMap(parent)) return undefined
  const pair = parent.items.find((item) => isPair(item) && (isScalar(item.key) ? String(item.key.value) : undefined) === key)
  return (pair?.key as Node | undefined)?.range?.[0]
}

function position(path: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}
