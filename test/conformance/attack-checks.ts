import { describeAttempts } from '../../core/contracts/index.ts'
import type { Attempt, Layer, Outcome, Policy } from '../../core/contracts/index.ts'
import type { Bench } from './bench.ts'
import { inSandbox } from './bench.ts'
import { planOf } from './contract-checks.ts'
import { filesystemAttacks } from './filesystem.ts'
import { interceptionAttacks } from './interception.ts'
import { networkAttacks } from './network.ts'
import type { Prey } from './prey.ts'
import type { Finding, Subject } from './subject.ts'
import { check, expectThat } from './subject.ts'
import { tokenAttacks } from './token.ts'

/** An attack that every plugin of a layer must withstand, whatever its mechanism. */
export interface LayerAttack {
  readonly name: string
  readonly policy?: (policy: Policy) => Policy
  /** Tried by the held process ... */
  readonly attempts?: readonly Attempt[]
  /** ... or done by a program that is run to its end. */
  readonly argv?: readonly string[]
  /** True when the attack got through. */
  readonly escaped: (outcomes: readonly Outcome[]) => boolean | Promise<boolean>
  /** Puts back what the attack may have destroyed. */
  readonly restore?: () => Promise<void>
  /** Without the layer only root can do it, so an ordinary user has no control. */
  readonly controlNeeds?: 'root'
}

const suites: Readonly<Record<Layer, (prey: Prey) => readonly LayerAttack[]>> = {
  filesystem: filesystemAttacks,
  token: tokenAttacks,
  network: networkAttacks,
  interception: interceptionAttacks,
}

/** The attacks of the plugin's layer, each with its control, and the plugin's own evidence in a real sandbox. */
export async function attackChecks(subject: Subject, bench: Bench, prey: Prey, policy: Policy): Promise<readonly Finding[]> {
  const findings = [await check('gives evidence for every claim in a real sandbox', () => evidenceFaults(subject, bench, policy))]
  for (const attack of suites[subject.plugin.layer](prey)) {
    findings.push(await check(`withstands: ${attack.name}`, () => attackFaults(subject, bench, attack, policy)))
  }
  return findings
}

async function evidenceFaults(subject: Subject, bench: Bench, policy: Policy): Promise<readonly string[]> {
  const plan = planOf(subject, { name: 'attack', policy, options: {} })
  return inSandbox(bench, subject, { policy, argv: ['/bin/true'], control: false }, async ({ sandbox, applied }) => {
    const evidence = (await applied?.verify({ attempt: (attempts) => sandbox.attempt(attempts) })) ?? []
    return [
      ...evidence.filter(({ held }) => !held).map(({ claim, detail }) => `"${claim}" does not hold: ${detail}`),
      ...plan.enforces
        .filter(({ id }) => evidence.filter(({ claim }) => claim === id).length !== 1)
        .map(({ id }) => `"${id}" has no evidence, or more than one`),
      ...expectThat(
        evidence.every(({ detail }) => detail !== '' && !detail.includes('\n')),
        'evidence is not one line',
      ),
    ]
  })
}

/** Three-valued: where the control did not get through, withstanding proves nothing. */
async function attackFaults(subject: Subject, bench: Bench, attack: LayerAttack, policy: Policy): Promise<readonly string[]> {
  const own = attack.policy?.(policy) ?? policy
  const run = async (control: boolean): Promise<{ readonly escaped: boolean; readonly said: string }> => {
    await attack.restore?.()
    const argv = attack.argv ?? ['/bin/true']
    return inSandbox(bench, subject, { policy: own, argv, control }, async ({ sandbox }) => {
      const outcomes = attack.attempts === undefined ? [] : await sandbox.attempt(attack.attempts)
      if (attack.argv !== undefined) {
        sandbox.stdin?.end()
        for (const stream of [sandbox.stdout, sandbox.stderr]) stream?.resume()
        await sandbox.start()
        await sandbox.exited
      }
      return { escaped: await attack.escaped(outcomes), said: describeAttempts(attack.attempts ?? [], outcomes) }
    })
  }
  const control = attack.controlNeeds === 'root' && subject.host.uid !== 0 ? undefined : await run(true)
  const inside = await run(false)
  return [
    ...expectThat(control?.escaped !== false, `proves nothing: it fails without the layer too (${control?.said ?? ''})`),
    ...expectThat(!inside.escaped, `gets through (${inside.said})`),
  ]
}
