import { isDeepStrictEqual } from 'node:util'
import type { AppliedLayer, ApplyContext, LaunchSpec, Layer, LayerPlan, Outcome, Receipt, Sandbox } from '../../core/contracts/index.ts'
import { planOf } from './contract-checks.ts'
import type { Case, Finding, Subject } from './subject.ts'
import { check, deepFreeze, expectThat } from './subject.ts'

/** What a plugin does to the machine and to the specification, without a sandbox. */
export async function applyChecks(subject: Subject): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const one of subject.cases) {
    const plan = planOf(subject, one)
    const add = async (name: string, work: () => Promise<readonly string[]>): Promise<void> => {
      findings.push(await check(`${name}: ${one.name}`, work))
    }
    // One after the other: they watch the same machine.
    await add('undoes all it did when disposed, twice', () => disposeFaults(subject, plan))
    await add('records a receipt before each side effect', () => receiptFaults(subject, plan))
    await add('recovers from its receipts alone, twice', () => recoverFaults(subject, plan))
    await add('leaves nothing when it is told to stop', () => abortFaults(subject, plan))
    await add('contributes purely, and only its own part', () => contributeFaults(subject, one, plan))
    await add('does not believe a sandbox without walls', () => evidenceFaults(subject, plan))
  }
  return findings
}

async function disposeFaults(subject: Subject, plan: LayerPlan): Promise<readonly string[]> {
  const before = await subject.effects()
  const receipts: Receipt[] = []
  const applied = await subject.plugin.apply(plan, contextFor(subject, receipts))
  await applied[Symbol.asyncDispose]()
  const after = await subject.effects()
  await applied[Symbol.asyncDispose]()
  for (const receipt of receipts) await subject.plugin.recover(receipt)
  return [
    ...expectThat(isDeepStrictEqual(after, before), 'something is left'),
    ...expectThat(isDeepStrictEqual(await subject.effects(), before), 'recovering after that did something'),
    ...receipts.flatMap((receipt) => [
      ...expectThat(receipt.plugin === subject.plugin.id, `a receipt names plugin "${receipt.plugin}"`),
      ...expectThat(isDeepStrictEqual(JSON.parse(JSON.stringify(receipt)), receipt), 'a receipt is not plain JSON'),
    ]),
  ]
}

/** Crashes at every receipt in turn: what was done by then must be covered by the receipts before. */
async function receiptFaults(subject: Subject, plan: LayerPlan): Promise<readonly string[]> {
  const before = await subject.effects()
  const faults: string[] = []
  for (let last = 0; last < 1000; last++) {
    const receipts: Receipt[] = []
    let seen: unknown
    const record = async (receipt: Receipt): Promise<void> => {
      seen = await subject.effects()
      if (receipts.length === last) throw new Error('the journal is full')
      receipts.push(receipt)
    }
    let applied: AppliedLayer | undefined
    try {
      applied = await subject.plugin.apply(plan, { ...contextFor(subject, []), record })
    } catch {
      if (last === 0 && !isDeepStrictEqual(seen, before)) faults.push('something was done before the first receipt')
    }
    await applied?.[Symbol.asyncDispose]()
    for (const receipt of receipts) await subject.plugin.recover(receipt)
    if (!isDeepStrictEqual(await subject.effects(), before)) faults.push(`something is left after a crash at receipt ${last + 1}`)
    if (applied !== undefined) return faults
  }
  return [...faults, 'it never came to an end of its receipts']
}

async function recoverFaults(subject: Subject, plan: LayerPlan): Promise<readonly string[]> {
  const before = await subject.effects()
  const receipts: Receipt[] = []
  const applied = await subject.plugin.apply(plan, contextFor(subject, receipts))
  // As after `kill -9`: nobody disposes, and the receipts come out of a journal.
  const stored = JSON.parse(JSON.stringify(receipts)) as Receipt[]
  const faults: string[] = []
  for (const round of ['first', 'second']) {
    for (const receipt of stored.toReversed()) await subject.plugin.recover(receipt)
    if (!isDeepStrictEqual(await subject.effects(), before)) faults.push(`something is left after the ${round} time`)
  }
  await applied[Symbol.asyncDispose]()
  return faults
}

async function abortFaults(subject: Subject, plan: LayerPlan): Promise<readonly string[]> {
  const before = await subject.effects()
  const receipts: Receipt[] = []
  const context = { ...contextFor(subject, receipts), signal: AbortSignal.abort(new Error('stop')) }
  const applied = await subject.plugin.apply(plan, context).catch(() => undefined)
  await applied?.[Symbol.asyncDispose]()
  for (const receipt of receipts) await subject.plugin.recover(receipt)
  return expectThat(isDeepStrictEqual(await subject.effects(), before), 'something is left')
}

async function contributeFaults(subject: Subject, { policy }: Case, plan: LayerPlan): Promise<readonly string[]> {
  const spec = deepFreeze(emptySpec(policy, subject.workspace.path))
  const applied = await subject.plugin.apply(plan, contextFor(subject, []))
  try {
    const first = applied.contribute(spec)
    const { environment: ours, ...command } = first.command
    const { environment: _, ...commandBefore } = spec.command
    const foreign = (['token', 'filesystem', 'network', 'interception', 'limits'] as const).filter(
      (part) => part !== subject.plugin.layer && !isDeepStrictEqual(first[part], spec[part]),
    )
    return [
      ...expectThat(isDeepStrictEqual(applied.contribute(spec), first), 'two contributions to the same differ'),
      ...expectThat(isDeepStrictEqual(JSON.parse(JSON.stringify(first)), first), 'the specification is not plain JSON any more'),
      ...foreign.map((part) => `it changed ${part}`),
      ...expectThat(isDeepStrictEqual(command, commandBefore), 'it changed the command'),
      ...expectThat(plan.tier === 'none' || partOf(first, subject.plugin.layer) !== null, 'it enforces something, but contributes nothing'),
      ...expectThat(
        Object.values(ours).every((value) => typeof value === 'string'),
        'it left an environment that is none',
      ),
    ]
  } finally {
    await applied[Symbol.asyncDispose]()
  }
}

/**
 * In a world without walls everything succeeds; in a broken one everything fails for an unrelated reason, or nothing is answered. For each
 * claim at least one of them must count as not held, or its evidence can never be anything but good.
 */
async function evidenceFaults(subject: Subject, plan: LayerPlan): Promise<readonly string[]> {
  const worlds: readonly ((count: number) => readonly Outcome[])[] = [
    (count) => Array.from({ length: count }, () => ({ ok: true, error: null, value: 'ffffffff' })),
    (count) => Array.from({ length: count }, () => ({ ok: false, error: 'EIO', value: null })),
    () => [],
  ]
  const believed = new Map(plan.enforces.map(({ id }) => [id, true]))
  const faults: string[] = []
  for (const world of worlds) {
    const applied = await subject.plugin.apply(plan, contextFor(subject, []))
    try {
      const attached = await attachTo(applied)
      if (!attached) return []
      const evidence = await applied.verify({ attempt: async (attempts) => world(attempts.length) })
      const claims = evidence.map(({ claim }) => claim)
      if (!isDeepStrictEqual(claims.toSorted(), [...believed.keys()].toSorted())) faults.push(`evidence is for ${claims.join(', ')}`)
      for (const { claim, held } of evidence) if (!held) believed.set(claim, false)
    } catch {
      for (const claim of believed.keys()) believed.set(claim, false)
    } finally {
      await applied[Symbol.asyncDispose]()
    }
  }
  return [...faults, ...[...believed].filter(([, always]) => always).map(([claim]) => `"${claim}" holds whatever happens`)]
}

/** False when the layer needs a real sandbox to serve; it is attacked in one by the suite of its layer. */
async function attachTo(applied: AppliedLayer): Promise<boolean> {
  const stand = { process: { pid: 4_000_000, startTime: '1' }, listeners: [], onIntercepted: () => undefined } as unknown as Sandbox
  return (
    applied.attach?.(stand).then(
      () => true,
      () => false,
    ) ?? true
  )
}

export function contextFor({ host, workspace, provided = {} }: Subject, receipts: Receipt[]): ApplyContext {
  return {
    host,
    workspace,
    job: 'job_conformance0',
    signal: new AbortController().signal,
    provided,
    record: async (receipt) => void receipts.push(receipt),
    report: () => undefined,
  }
}

export function emptySpec(policy: Case['policy'], directory: string, argv: readonly string[] = ['/bin/true']): LaunchSpec {
  return {
    command: { argv, directory, environment: { ...policy.environment } },
    token: null,
    filesystem: null,
    network: null,
    interception: null,
    limits: { processes: policy.limits.processes, openFiles: policy.limits.openFiles },
  }
}

function partOf(spec: LaunchSpec, layer: Layer): unknown {
  return spec[layer]
}
