import type { Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { closedCalls, proofOfAnswer, rulesClaim } from './claims.ts'
import type { SeccompData } from './plan.ts'

/** One set of attempts per claim, all tried in one go: call name and the errno that proves the claim. */
export async function verifyInterception(data: SeccompData, probe: Probe): Promise<readonly Evidence[]> {
  const watched = [...new Set(data.rules.map(({ on }) => `intercept:${on}`))]
  const claims = [
    ...closedCalls,
    ...(watched.length === 0 ? [] : [{ id: rulesClaim.id, expected: Object.fromEntries(watched.map((name) => [name, proofOfAnswer])) }]),
  ].map(({ id, expected }) => ({ id, expected: Object.entries(expected) }))
  const outcomes = await probe.attempt(claims.flatMap(({ expected }) => expected.map(([name]) => ({ op: 'syscall' as const, name }))))
  let next = 0
  return claims.map(({ id, expected }) => {
    const own = outcomes.slice(next, (next += expected.length))
    const faults = expected.flatMap(([name, errno], index) => fault(name, errno, own[index]))
    const said = expected.map(([name, errno]) => `${name} ${errno}`).join(', ')
    return { claim: id, held: faults.length === 0, detail: faults.length === 0 ? said : faults.join(', ') }
  })
}

/** Another errno than the filter's is not good enough: something else refused, this time. */
function fault(name: string, expected: string, outcome: Outcome | undefined): readonly string[] {
  if (outcome !== undefined && !outcome.ok && outcome.error === expected) return []
  const got = outcome === undefined ? 'was not tried' : outcome.ok ? 'succeeded' : `${outcome.error}`
  return [`${name} ${got} instead of ${expected}`]
}
