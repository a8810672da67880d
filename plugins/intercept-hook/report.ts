import type { Denial, Intercepted } from '../../core/contracts/index.ts'
import { pluginId } from './plan.ts'

/** BH_HOOK_NO_RULE of `native/src/windows/hook-policy.h`: about a child that the hook could not enter. */
const noRule = 0xffff_ffff

/** Why an event was made: the closed list of this layer's reasons, with those about children. */
const reasons = {
  deny: 'rule_deny',
  kill: 'rule_kill',
  allow: 'rule_allow',
  emulate: 'rule_emulate',
  redirect: 'rule_redirect',
} as const satisfies Record<Intercepted['action'], string>
const childReasons = { refused: 'child_not_watched', unwatched: 'child_32_bit' } as const

/** The event as the job's record shows it. `object` and `program` are the agent's text; the remedy quotes it. */
export function denialOf(event: Intercepted): Denial {
  const { action, object, program, lost, rule } = event
  const about = rule === noRule ? aboutChild(event) : { reason: reasons[action], remedy: action === 'allow' ? null : remedy(event) }
  return { layer: 'interception', plugin: pluginId, ...about, object, action, program: program === '' ? null : program, lost }
}

function aboutChild({ action }: Intercepted): Pick<Denial, 'reason' | 'remedy'> {
  return action === 'allow'
    ? { reason: childReasons.unwatched, remedy: null }
    : { reason: childReasons.refused, remedy: 'option wow64: report of the interception layer, if it is a 32-bit program' }
}

/** No name that the hook reports can have a star in it, so the object is its own pattern. */
function remedy({ on, object, rule }: Intercepted): string {
  return `interception: [{ on: ${on}, match: ${JSON.stringify(object)}, action: allow }] before rule ${rule + 1}`
}
