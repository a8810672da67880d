import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventPayloads, EventType, JobStatus, JournalEvent } from '../../../core/contracts/index.ts'
import { initialState, reduce, type JobState } from '../../../core/scheduler/state.ts'
import { refusal } from '../../../core/scheduler/transitions.ts'
import { jobSpec } from '../../support/job-spec.ts'

const counts = fc.record({ files: fc.nat(9), insertions: fc.nat(9), deletions: fc.nat(9) })
const name = fc.constantFrom('ann', 'bob', '')
const hash = fc.constantFrom('a'.repeat(40), 'b'.repeat(40))
const work = fc.option(fc.record({ commit: hash, tree: hash, counts }))
const tier = fc.constantFrom('full' as const, 'partial' as const, 'none' as const)
const plan = fc.record({
  plugin: fc.constantFrom('p', 'q'),
  layer: fc.constantFrom('filesystem' as const, 'network' as const),
  tier,
  enforces: fc.constant([]),
  unsupported: fc.constant([]),
  steps: fc.constant([]),
  data: fc.constant(null),
})

/** Any payload of every event type. */
const payloads: { [T in EventType]: fc.Arbitrary<EventPayloads[T]> } = {
  'job.submitted': fc.constant({}),
  'job.claimed': fc.record({ orchestrator: fc.constantFrom('orc_1', 'orc_2'), attempt: fc.integer({ min: 1, max: 5 }) }),
  'job.prepared': fc.record({ workspace: name, base: hash, plans: fc.array(plan, { maxLength: 2 }), degraded: fc.constant(['network']) }),
  'job.verified': fc.constant({ evidence: [] }),
  'job.started': fc.constant({ pid: 1, startTime: '1' }),
  'job.denial': fc.record({
    layer: fc.constant('network' as const),
    plugin: name,
    reason: name,
    object: fc.string(),
    action: fc.constant('deny' as const),
    program: fc.constant(null),
    remedy: fc.constant(null),
    lost: fc.nat(3),
  }),
  'job.asked': fc.record({ question: fc.nat(3), on: name, object: fc.string(), program: name, rule: fc.nat(3) }),
  'job.answered': fc.record({ question: fc.nat(3), allow: fc.boolean(), by: name }),
  'job.changed': counts,
  'job.exited': fc.constant({ code: 0, signal: null, reason: 'exited' as const }),
  'job.finished': fc.oneof(
    fc.record({ commit: hash, tree: hash, counts }),
    fc.record({ commit: fc.constant(null), tree: fc.constant(null), counts }),
  ),
  'job.failed': fc.record({ code: name, message: fc.string(), retryAt: fc.option(fc.nat()), work }),
  'job.interrupted': fc.record({ orchestrator: name, reason: fc.constantFrom('died' as const, 'shutdown' as const) }),
  'job.cancel-requested': fc.record({ by: name }),
  'job.cancelled': fc.record({ by: name, work }),
  'job.removed': fc.record({ backup: fc.option(fc.constant('refs/bulkhead/backup/x')) }),
  'review.approved': fc.record({ tree: hash, by: name }),
  'review.rejected': fc.record({ by: name, reason: fc.string() }),
  'merge.requested': fc.record({ target: name, by: name }),
  'merge.candidate': fc.record({ commit: hash, tree: hash, onto: hash }),
  'merge.gate': fc.record({ name, passed: fc.boolean(), durationMs: fc.nat(), output: fc.string() }),
  'merge.landed': fc.record({
    target: name,
    commit: hash,
    from: hash,
    checkout: fc.constantFrom('none' as const, 'advanced' as const, 'behind' as const),
  }),
  'merge.failed': fc.record({
    code: fc.constantFrom('merge_conflict', 'merge_gate_failed', 'merge_target_moved'),
    message: fc.string(),
    paths: fc.constant([]),
  }),
  'queue.paused': fc.record({ by: name }),
  'queue.resumed': fc.record({ by: name }),
}

const types = Object.keys(payloads) as EventType[]
const something = fc.oneof(...types.map((type) => fc.record({ type: fc.constant(type), data: payloads[type] as fc.Arbitrary<unknown> })))

/** One step of a walk: which of the legal events it is, and what each would say. */
const step = fc.record({ pick: fc.nat(), said: fc.record(payloads as Record<EventType, fc.Arbitrary<unknown>>) })
type Step = { readonly pick: number; readonly said: Readonly<Record<EventType, unknown>> }

/** What ends a life is rare, so that walks get far. */
const rare: readonly EventType[] = ['job.failed', 'job.cancelled', 'job.removed', 'review.rejected']
const often = (type: EventType): EventType[] => (rare.includes(type) ? [type] : Array<EventType>(8).fill(type))

function event(sequence: number, { type, data }: { type: EventType; data: unknown }): JournalEvent {
  return { sequence, at: sequence * 1_000, job: 'job_x', type, data } as JournalEvent
}

const begin = initialState(jobSpec())

/** Events of a random walk that keeps to the rules. Ends early when nothing is legal any more. */
function walk(steps: readonly Step[]): { events: JournalEvent[]; states: JobState[] } {
  const events: JournalEvent[] = []
  const states: JobState[] = []
  let state = begin
  for (const { pick, said } of steps) {
    const legal = types.filter((type) => refusal(state, type) === null).flatMap(often)
    const type = legal[pick % legal.length]
    if (type === undefined) break
    const next = event(events.length + 1, { type, data: said[type] })
    state = reduce(state, next)
    events.push(next)
    states.push(state)
  }
  return { events, states }
}

/** From where to where one legal event may lead. */
const arrows: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['preparing', 'failed', 'cancelled'],
  preparing: ['running', 'queued', 'failed', 'cancelled'],
  running: ['waiting', 'finished', 'queued', 'failed', 'cancelled'],
  waiting: ['running', 'finished', 'queued', 'failed', 'cancelled'],
  finished: ['approved', 'rejected'],
  approved: ['merging', 'rejected'],
  merging: ['merged', 'approved', 'finished'],
  merged: [],
  rejected: ['approved'],
  failed: [],
  cancelled: [],
}

/** What is wrong with a state that was reached legally; it must be nothing. */
function flaws({ view, interrupted }: JobState): string[] {
  const atWork = ['preparing', 'running', 'waiting'].includes(view.status)
  const rules: Record<string, boolean> = {
    'somebody holds it exactly while it is at work': (view.orchestrator !== null) === atWork,
    'it has an attempt unless it never started': view.attempt >= 1 || ['queued', 'failed', 'cancelled'].includes(view.status),
    'it waits exactly while a question does': view.questions.length > 0 === (view.status === 'waiting'),
    'only a queued job waits for another attempt': view.retryAt === null || view.status === 'queued',
    'only open jobs are being cancelled': !view.cancelRequested || atWork || view.status === 'queued',
    'an approval is of a tree, from approval to merge':
      (view.approvedTree !== null) === ['approved', 'merging', 'merged'].includes(view.status),
    'it landed when it is merged': (view.landed !== null) === (view.status === 'merged'),
    'commit and tree come together': (view.commit === null) === (view.tree === null),
    'nothing is removed while somebody works on it': !view.removed || (!atWork && view.status !== 'merging'),
    'an interrupted job is not at work': !interrupted || !atWork,
    'what was approved was taken in': view.approvedTree === null || view.tree !== null,
    'a failed or stopped job says why': (view.status !== 'failed' && view.status !== 'cancelled') || view.reason !== null,
  }
  return Object.keys(rules).filter((rule) => rules[rule] !== true)
}

describe('a legal life', () => {
  const steps = fc.array(step, { minLength: 10, maxLength: 40 })

  test('never reaches a state that contradicts itself', () => {
    fc.assert(
      fc.property(steps, (walked) => {
        expect(walk(walked).states.map(flaws)).toEqual(walk(walked).states.map(() => []))
      }),
    )
  })

  test('moves only along the arrows', () => {
    fc.assert(
      fc.property(steps, (walked) => {
        const statuses = walk(walked).states.map((state) => state.view.status)
        for (const [index, to] of statuses.entries()) {
          const from = statuses[index - 1] ?? to
          expect(to === from || arrows[from].includes(to), `${from} → ${to}`).toBe(true)
        }
      }),
    )
  })

  test('is a fold: beginning with what was known gives the same as beginning anew', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (walked, cut) => {
        const { events, states } = walk(walked)
        const at = cut % events.length
        const whole = events.reduce(reduce, begin)
        expect(events.slice(at + 1).reduce(reduce, states[at] ?? begin)).toEqual(whole)
        expect(states.at(-1)).toEqual(whole)
      }),
    )
  })

  test('after removal nothing happens any more', () => {
    fc.assert(
      fc.property(steps, (walked) => {
        const removed = walk(walked).states.find((state) => state.view.removed)
        if (removed !== undefined) expect(types.filter((type) => refusal(removed, type) === null)).toEqual([])
      }),
    )
  })

  test('the walks above meet every status that can be met', () => {
    const met = new Set<JobStatus>()
    for (const walked of fc.sample(steps, { numRuns: 500, seed: 1 })) for (const state of walk(walked).states) met.add(state.view.status)
    expect((Object.keys(arrows) as JobStatus[]).filter((status) => !met.has(status))).toEqual([])
  })
})

test('any events at all are folded without an error', () => {
  fc.assert(
    fc.property(fc.array(something, { maxLength: 60 }), (steps) => {
      const state = steps.map((step, index) => event(index + 1, step)).reduce(reduce, begin)
      expect(state.last).toBe(steps.length)
    }),
  )
})

test('a whole life, told in the view', () => {
  const spec = jobSpec({ name: 'fix' })
  const life: { type: EventType; data: unknown }[] = [
    { type: 'job.submitted', data: {} },
    { type: 'job.claimed', data: { orchestrator: 'orc_1', attempt: 1 } },
    {
      type: 'job.prepared',
      data: {
        workspace: '/w',
        base: 'a',
        plans: [{ plugin: 'p', layer: 'network', tier: 'partial', enforces: [], unsupported: ['x'], steps: [], data: null }],
        degraded: ['network'],
      },
    },
    { type: 'job.started', data: { pid: 1, startTime: '1' } },
    { type: 'job.denial', data: { lost: 4 } },
    { type: 'job.asked', data: { question: 1, on: 'file.delete', object: '/x', program: 'rm', rule: 0 } },
    { type: 'job.answered', data: { question: 1, allow: true, by: 'ann' } },
    { type: 'job.answered', data: { question: 1, allow: false, by: 'bulkhead' } },
    { type: 'job.exited', data: { code: 0, signal: null, reason: 'exited' } },
    { type: 'job.finished', data: { commit: 'c', tree: 't', counts: { files: 1, insertions: 2, deletions: 3 } } },
    { type: 'review.approved', data: { tree: 't', by: 'ann' } },
    { type: 'merge.requested', data: { target: 'refs/heads/main', by: 'ann' } },
    { type: 'merge.candidate', data: { commit: 'd', tree: 'u', onto: 'a' } },
    { type: 'merge.landed', data: { target: 'refs/heads/main', commit: 'd', from: 'a', checkout: 'behind' } },
  ]
  expect(life.map((step, index) => event(index + 1, step)).reduce(reduce, initialState(spec)).view).toEqual({
    spec,
    status: 'merged',
    reason: 'landed; the checkout of the target has to be updated by hand',
    attempt: 1,
    retryAt: null,
    orchestrator: null,
    cancelRequested: false,
    removed: false,
    enforcement: [{ layer: 'network', plugin: 'p', tier: 'partial', degraded: true }],
    denials: 5,
    questions: [],
    counts: { files: 1, insertions: 2, deletions: 3 },
    commit: 'c',
    tree: 't',
    approvedTree: 't',
    landed: 'd',
    startedAt: 2_000,
    endedAt: 10_000,
  })
})
