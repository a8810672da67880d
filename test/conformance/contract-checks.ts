import { isDeepStrictEqual } from 'node:util'
import { layers } from '../../core/contracts/index.ts'
import type { Availability, FeatureAnswer, Host, LayerPlan, PlanContext } from '../../core/contracts/index.ts'
import type { Case, Finding, Subject } from './subject.ts'
import { check, deepFreeze, expectThat } from './subject.ts'

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** The plugin's shape, its probe and its plans. Nothing is applied. */
export async function contractChecks(subject: Subject): Promise<readonly Finding[]> {
  return [
    await check('has the shape of a layer plugin', () => shapeFaults(subject)),
    await check('has options with defaults, and refuses unknown ones', () => optionFaults(subject)),
    await check('probes this host', async () => availabilityFaults(await subject.plugin.probe(subject.host))),
    await check('says so where nothing can be used', () => helplessFaults(subject)),
    ...(await Promise.all(subject.cases.map((one) => check(`plans purely: ${one.name}`, () => planFaults(subject, one))))),
  ]
}

/** The plan of a case; the options are what the configuration would hand over. */
export function planOf(subject: Subject, { policy, options }: Case): LayerPlan {
  return subject.plugin.plan(policy, subject.plugin.options.parse(options), planContextFor(subject))
}

function planContextFor({ host, workspace, provided = {} }: Subject): PlanContext {
  const availability = { usable: true, tier: 'full', detail: 'conformance' } as const
  return { host, job: 'job_conformance0', workspace, availability, capabilities: Object.keys(provided) }
}

function shapeFaults({ plugin }: Subject): readonly string[] {
  const names = [...plugin.provides, ...plugin.requires]
  return [
    ...expectThat(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(plugin.id), `id "${plugin.id}" is not of the form <layer>-<mechanism>`),
    ...expectThat(layers.includes(plugin.layer), `layer "${plugin.layer}" does not exist`),
    ...expectThat(plugin.contract === 1, `contract ${String(plugin.contract)} is not 1`),
    ...names.filter((name) => !kebab.test(name)).map((name) => `capability "${name}" is not kebab-case`),
    ...plugin.provides.filter((name) => plugin.requires.includes(name)).map((name) => `provides and requires "${name}"`),
  ]
}

function optionFaults({ plugin }: Subject): readonly string[] {
  return [
    ...expectThat(plugin.options.safeParse({}).success, 'does not accept {}'),
    ...expectThat(!plugin.options.safeParse({ 'no-such-option': 1 }).success, 'accepts an option that does not exist'),
    ...expectThat(!plugin.options.safeParse(null).success, 'accepts null'),
  ]
}

function availabilityFaults(availability: Availability): readonly string[] {
  return availability.usable
    ? expectThat(['full', 'partial', 'none'].includes(availability.tier), `tier "${availability.tier}" does not exist`)
    : [...expectThat(availability.reason !== '', 'no reason'), ...expectThat(availability.remedy !== '', 'no remedy')]
}

async function helplessFaults({ plugin, host }: Subject): Promise<readonly string[]> {
  const no: FeatureAnswer = { ok: false, level: 0, reason: 'step: EPERM' }
  const helpless: Host = { ...host, can: () => Promise.resolve(no) }
  const here = await plugin.probe(helpless)
  const fine = here.usable && here.tier !== 'none' ? ['says it enforces something where the kernel can do nothing'] : []
  return [...fine, ...availabilityFaults(here)]
}

function planFaults(subject: Subject, one: Case): readonly string[] {
  const { plugin } = subject
  const asking: Host = {
    ...subject.host,
    can: () => {
      throw new Error('plan asked the host')
    },
  }
  const frozen = deepFreeze(structuredClone({ policy: one.policy, workspace: subject.workspace }))
  const options: unknown = deepFreeze(plugin.options.parse(one.options))
  const context = planContextFor({ ...subject, host: asking, workspace: frozen.workspace })
  const plan = (): LayerPlan => plugin.plan(frozen.policy, options, context)
  const first = plan()
  const second = elsewhere(plan)
  const ids = first.enforces.map(({ id }) => id)
  return [
    ...expectThat(isDeepStrictEqual(first, second), 'two plans of the same differ'),
    ...expectThat(isDeepStrictEqual(JSON.parse(JSON.stringify(first)), first), 'the plan is not plain JSON'),
    ...expectThat(first.plugin === plugin.id && first.layer === plugin.layer, `the plan is of ${first.layer} plugin "${first.plugin}"`),
    ...ids.filter((id) => !kebab.test(id)).map((id) => `claim "${id}" is not kebab-case`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `claim "${id}" is made twice`),
    ...first.enforces.filter(({ text }) => text === '').map(({ id }) => `claim "${id}" says nothing`),
    ...expectThat((first.tier === 'none') === (ids.length === 0), `tier "${first.tier}" with ${ids.length} claims`),
    ...expectThat(first.steps.length > 0 && first.steps.every((step) => step !== ''), 'no steps for people'),
    ...expectThat(
      first.unsupported.every((entry) => entry !== ''),
      'an unsupported entry says nothing',
    ),
  ]
}

/** Plans again with another clock reading and other variables: a pure function does not notice. */
function elsewhere<T>(work: () => T): T {
  const before = { ...process.env }
  Object.assign(process.env, { PATH: '/nowhere', HOME: '/nowhere', TMPDIR: '/nowhere' })
  try {
    return work()
  } finally {
    for (const name of ['PATH', 'HOME', 'TMPDIR']) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}
