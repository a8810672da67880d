import * as fc from 'fast-check'

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)

/** Lower-case host names of two to four labels. */
export const hostName = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))

/** One of the ways to write `name` that mean the same. */
export function spelling(name: string): fc.Arbitrary<string> {
  return fc.tuple(fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }), fc.boolean()).map(
    ([upper, dot]) =>
      name
        .split('')
        .map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter))
        .join('') + (dot ? '.' : ''),
  )
}
