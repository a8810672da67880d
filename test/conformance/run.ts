import type { Policy } from '../../core/contracts/index.ts'
import { applyChecks } from './apply-checks.ts'
import { attackChecks } from './attack-checks.ts'
import type { Bench } from './bench.ts'
import { contractChecks } from './contract-checks.ts'
import { prepareChecks } from './prepare-checks.ts'
import type { Prey } from './prey.ts'
import type { Finding, Subject } from './subject.ts'

/** The checks that need no sandbox. */
export async function describeChecks(subject: Subject): Promise<readonly Finding[]> {
  const contract = await contractChecks(subject)
  return [...contract, ...(await prepareChecks(subject)), ...(await applyChecks(subject))]
}

/** The attacks of the plugin's layer in a real sandbox. A layer of tier `none` claims nothing, and is not attacked. */
export async function enforceChecks(subject: Subject, bench: Bench, prey: Prey, policy: Policy): Promise<readonly Finding[]> {
  const availability = await subject.plugin.probe(subject.host)
  if (!availability.usable) return [{ check: 'works here', faults: [`${availability.reason} (${availability.remedy})`] }]
  return availability.tier === 'none' ? [] : attackChecks(subject, bench, prey, policy)
}

/** Everything that is wrong, one line each. */
export function faultsOf(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ check, faults }) => faults.map((fault) => `${check}: ${fault}`))
}
