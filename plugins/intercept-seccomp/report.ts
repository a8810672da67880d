import type { Denial, Intercepted } from '../../core/contracts/index.ts'
import { pluginId } from './plan.ts'

/** Why an event was made: the closed list of this layer's reasons. */
const reasons = {
  deny: 'rule_deny',
  kill: 'rule_kill',
  allow: 'rule_allow',
  emulate: 'rule_emulate',
  redirect: 'rule_redirect',
} as const satisfies Record<Intercepted['action'], string>

/** The event as the job's record shows it. `object` and `program` are the agent's text; the remedy quotes it. */
export function denialOf(event: Intercepted): Denial {
  return {
    layer: 'interception',
    plugin: pluginId,
    reason: reasons[event.action],
    object: event.object,
    action: event.action,
    program: event.program === '' ? null : event.program,
    remedy: event.action === 'allow' ? null : remedy(event),
    lost: event.lost,
  }
}

function remedy({ on, object, rule }: Intercepted): string {
  const match = JSON.stringify(object.replaceAll(/[\\*]/g, String.raw`\$&`))
  return `interception: [{ on: ${on}, match: ${match}, action: allow }] before rule ${rule + 1}`
}
