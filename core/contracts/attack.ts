import type { Evidence, Probe } from './layer.ts'
import type { Attempt, Outcome } from './sandbox.ts'

/** One claim, what is tried against it, and what counts as the wall having held. For `AppliedLayer.verify`. */
export interface Attack {
  readonly claim: string
  readonly attempts: readonly Attempt[]
  /** Pure. `outcomes` has one entry for each attempt, in order. */
  readonly judge: (outcomes: readonly Outcome[]) => Pick<Evidence, 'held' | 'detail'>
}

/** Tries everything in one round trip. An attack without an answer to each of its attempts has not held. */
export async function attackAll(probe: Probe, attacks: readonly Attack[]): Promise<readonly Evidence[]> {
  const outcomes = await probe.attempt(attacks.flatMap(({ attempts }) => attempts))
  let next = 0
  return attacks.map(({ claim, attempts, judge }) => {
    const own = outcomes.slice(next, (next += attempts.length))
    if (attempts.length === 0 || own.length < attempts.length) return { claim, held: false, detail: 'nothing was tried' }
    return { claim, ...judge(own) }
  })
}

/**
 * An attack that must fail, with one of `errors` (errno names): another error may mean that it failed by accident, and proves nothing.
 */
export function refused(claim: string, attempts: readonly Attempt[], errors: readonly string[]): Attack {
  return {
    claim,
    attempts,
    judge: (outcomes) => ({
      held: outcomes.every(({ ok, error }) => !ok && error !== null && errors.includes(error)),
      detail: describeAttempts(attempts, outcomes),
    }),
  }
}

/** `read /etc/shadow: ENOENT; ...`, in one line. */
export function describeAttempts(attempts: readonly Attempt[], outcomes: readonly Outcome[]): string {
  return attempts.map((attempt, index) => `${attempt.op} ${objectOf(attempt)}: ${resultOf(attempt, outcomes[index])}`).join('; ')
}

function objectOf(attempt: Attempt): string {
  switch (attempt.op) {
    case 'connect':
      return `${attempt.address} port ${attempt.port}`
    case 'syscall':
      return attempt.name
    case 'signal':
      return `pid ${attempt.pid}`
    case 'status':
      return attempt.field
    default:
      return attempt.path
  }
}

function resultOf({ op }: Attempt, outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'no answer'
  if (!outcome.ok) return outcome.error ?? 'failed'
  return op === 'status' ? outcome.value?.trim() || 'empty' : 'succeeded'
}
