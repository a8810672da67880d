/**
 * The part of vitest that this project's tests use, on node:test: under Windows Node there is no vitest, whose compiler has native parts. It
 * is staged as the package `vitest`, so that a test file of the Linux suite runs here unchanged. Assertions are vitest's own.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, afterEach, before, beforeEach, describe as nodeDescribe, test as nodeTest } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { format } from 'node:util'
import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)

export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
  poll,
})

/** Asks again until the assertion holds. Only what follows directly is waited for, not `.not` or `.resolves`. */
function poll(ask, { interval = 50, timeout = 1000 } = {}) {
  const wait =
    (matcher) =>
    async (...expected) => {
      for (const deadline = Date.now() + timeout; ; await sleep(interval)) {
        try {
          return expect(await ask())[matcher](...expected)
        } catch (error) {
          if (Date.now() >= deadline) throw error
        }
      }
    }
  return new Proxy({}, { get: (_, matcher) => wait(matcher) })
}

const current = new AsyncLocalStorage()
const path = []

/** Tests that are left out, as `leaveOut` says; each must be met. */
const leftOut = new Map()

/** `reasons` by the full name of a test (`describe > test`) or the beginning of it. They are not registered at all. */
export function leaveOut(reasons) {
  for (const [name, reason] of Object.entries(reasons)) leftOut.set(name, { reason, met: false })
}

export function unmet() {
  return [...leftOut].filter(([, { met }]) => !met).map(([name]) => name)
}

function isLeftOut(name) {
  const full = [...path, name].join(' > ')
  for (const [start, entry] of leftOut) {
    if (!full.startsWith(start)) continue
    entry.met = true
    return true
  }
  return false
}

export function test(name, ...rest) {
  const work = rest.find((argument) => typeof argument === 'function')
  if (isLeftOut(name)) return
  void nodeTest(name, (context) => {
    const finished = []
    // The last one first, as vitest has it.
    context.after(async () => {
      for (const undo of finished.toReversed()) await undo()
    })
    return current.run(finished, () => work(context))
  })
}

test.each = (table) => (name, work) => {
  for (const [index, row] of table.entries()) {
    const values = Array.isArray(row) ? row : [row]
    test(named(name, values, index), () => work(...values))
  }
}
test.runIf = (condition) => (condition ? test : () => {})
test.skipIf = (condition) => test.runIf(!condition)

export function describe(name, work) {
  if (isLeftOut(name)) return
  void nodeDescribe(name, () => {
    path.push(name)
    try {
      return work()
    } finally {
      path.pop()
    }
  })
}
describe.each = (table) => (name, work) => {
  for (const [index, row] of table.entries()) {
    const values = Array.isArray(row) ? row : [row]
    describe(named(name, values, index), () => work(...values))
  }
}
describe.runIf = (condition) => (condition ? describe : () => {})

export const onTestFinished = (work) => current.getStore().push(work)
export { after as afterAll, afterEach, before as beforeAll, beforeEach }

/** printf(3) and `$key`, as vitest names the rows of a table. */
function named(name, values, index) {
  const keyed = name.replaceAll('%#', index).replaceAll(/\$(\w+)/g, (whole, key) => values[0]?.[key] ?? whole)
  const count = (keyed.match(/%[sdifjoO]/g) ?? []).length
  return `${format(keyed, ...values.slice(0, count))} [${index + 1}]`
}
