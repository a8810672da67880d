import { attackAll, describeAttempts } from '../../core/contracts/index.ts'
import type { Attack, Attempt, Evidence, Outcome, Probe } from '../../core/contracts/index.ts'
import { claims } from './plan.ts'
import type { HookData } from './plan.ts'

/**
 * What `native/src/windows/launcher/hook-attempt.c` answers when it was the hook that refused. While walls are attacked rules sleep; the
 * attempts act on objects that no policy names (docs/decisions/0006).
 */
const proofOfAnswer = 'EACCES'

export function verifyHook({ rules }: HookData, probe: Probe): Promise<readonly Evidence[]> {
  const status: readonly Attempt[] = [{ op: 'status', field: 'hook' }]
  const proofs = [...new Set(rules.map(({ on }) => on))].map((on): Attempt => ({ op: 'syscall', name: `intercept:${on}` }))
  return attackAll(probe, [
    { claim: claims.inPlace.id, attempts: status, judge: ([outcome]) => judgeStatus(outcome, rules.length) },
    ...(proofs.length === 0 ? [] : [answers(proofs)]),
  ])
}

function answers(proofs: readonly Attempt[]): Attack {
  return {
    claim: claims.answered.id,
    attempts: proofs,
    judge: (outcomes) => ({
      held: outcomes.every(({ ok, error }) => !ok && error === proofOfAnswer),
      detail: describeAttempts(proofs, outcomes),
    }),
  }
}

function judgeStatus(outcome: Outcome | undefined, rules: number): Pick<Evidence, 'held' | 'detail'> {
  const value = outcome?.value ?? outcome?.error ?? 'nothing'
  const [, hooks = '0', own] = /^ready hooks=(\d+) rules=(\d+)$/.exec(value) ?? []
  return { held: Number(hooks) > 0 && own === String(rules), detail: `hook: ${value}, ${rules} rules expected` }
}
