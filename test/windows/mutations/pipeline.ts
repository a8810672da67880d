import type { Mutation } from './mutation.ts'

const core = 'core/enforcement'
const plan = `${core}/plan.ts`
const session = `${core}/layer-session.ts`
const pipeline = `${core}/pipeline.ts`
const recovery = `${core}/recovery.ts`
const shared = 'real/shared/enforcement'

/** The steps that the layers have in common. */
export const pipelineMutations: readonly Mutation[] = [
  {
    id: 'pipeline-unavailable-refused',
    file: plan,
    from: '  refuseUnusable(environment, chosen)\n  refuse(',
    to: '  refuse(',
    cases: shared,
  },
  { id: 'pipeline-unsupported-refused', file: plan, from: 'refused.map(', to: 'refused.slice(0, 0).map(', cases: shared },
  {
    id: 'pipeline-required-offered',
    file: plan,
    from: '.filter((capability) => !offered.includes(capability))',
    to: '.filter((capability) => !offered.includes(capability) && offered.length > 99)',
    cases: shared,
  },
  {
    id: 'pipeline-claims-of-no-wall',
    file: plan,
    from: "if (chosen.availability.usable || plan.tier === 'none') return []",
    to: 'if (chosen.availability.usable || plan.layer === chosen.layer) return []',
    cases: shared,
  },
  { id: 'pipeline-verified-before-start', file: session, from: 'requireHeld(this.plan, evidence)', to: 'void requireHeld', cases: shared },
  {
    id: 'pipeline-held',
    file: `${core}/evidence.ts`,
    from: '...evidence.filter(({ held }) => !held).map',
    to: '...evidence.filter(({ held }) => !held && claimed.length === 0).map',
    cases: shared,
  },
  {
    id: 'pipeline-every-claim-attacked',
    file: `${core}/evidence.ts`,
    from: 'return count === 1 ? []',
    to: 'return count <= 1 ? []',
    cases: shared,
  },
  {
    id: 'pipeline-failed-verification',
    file: pipeline,
    from: "if (one.status === 'rejected') throw one.reason",
    to: "if (one.status === 'rejected') return []",
    cases: shared,
  },
  {
    id: 'pipeline-layers-attached',
    file: pipeline,
    from: '    await session.attach(sandbox)',
    to: '    void [session, sandbox]',
    cases: shared,
  },
  { id: 'pipeline-layers-undone', file: pipeline, from: 'undo.push(() => session.undo(fate.treeGone))', to: 'void undo', cases: shared },
  {
    id: 'pipeline-tree-ended',
    file: pipeline,
    from: 'await endSandbox(sandbox, this.#parts.endLimitMs)',
    to: 'void endSandbox',
    cases: shared,
  },
  {
    id: 'pipeline-ended-before-undone',
    file: `${core}/undo-stack.ts`,
    from: 'this.#steps.pop(); step !== undefined; step = this.#steps.pop()',
    to: 'this.#steps.shift(); step !== undefined; step = this.#steps.shift()',
    cases: shared,
  },
  {
    id: 'pipeline-receipt-stored',
    file: session,
    from: 'id: this.#parts.journal.record(this.#parts.owner, stored), receipt',
    to: 'id: 0, receipt',
    cases: shared,
  },
  { id: 'pipeline-receipt-kept', file: session, from: 'if (settle && !this.#hung)', to: 'if (settle || !this.#hung)', cases: shared },
  {
    id: 'pipeline-undone-from-receipts',
    file: session,
    from: 'if (!disposed) await this.#parts.driver.recover(this.plugin, receipt)',
    to: 'void disposed',
    cases: shared,
  },
  { id: 'pipeline-recovery', file: recovery, from: 'await driver.recover(plugin, receipt)', to: 'void driver', cases: shared },
  {
    id: 'pipeline-recovery-of-the-dead',
    file: recovery,
    from: '&& !alive.has(stored.orchestrator)',
    to: '&& alive.size < 99',
    cases: shared,
  },
  {
    id: 'pipeline-only-its-part',
    file: `${core}/launch-spec.ts`,
    from: 'if (touched.length > 0)',
    to: 'if (touched.length > 9)',
    cases: shared,
  },
  {
    id: 'pipeline-environment',
    file: `${core}/launch-spec.ts`,
    from: 'passed(policy.pass ?? [], host)',
    to: 'passed(Object.keys(host), host)',
    cases: shared,
  },
]
