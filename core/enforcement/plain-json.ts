/**
 * A deep copy of `value` that is certain to survive the journal: what is stored is then what is used. Properties that are undefined are
 * dropped, as JSON does. Throws a TypeError that names the place of anything JSON would change or lose.
 */
export function plainJson(value: unknown, place = 'value'): unknown {
  return copy(value, place, new Set())
}

/** `above`: the objects this value lies in. */
function copy(value: unknown, place: string, above: Set<object>): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${place} is ${value}, which JSON cannot hold`)
    return value
  }
  if (typeof value !== 'object') throw new TypeError(`${place} is of type ${typeof value}, which JSON cannot hold`)
  if (above.has(value)) throw new TypeError(`${place} contains itself`)
  above.add(value)
  const copied = Array.isArray(value)
    ? value.map((entry, index) => copy(entry, `${place}[${index}]`, above))
    : copyObject(value, place, above)
  above.delete(value)
  return copied
}

function copyObject(value: object, place: string, above: Set<object>): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError(`${place} is not a plain object`)
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  // fromEntries defines own properties, so a key named __proto__ stays data.
  return Object.fromEntries(entries.map(([key, entry]) => [key, copy(entry, `${place}.${key}`, above)]))
}
