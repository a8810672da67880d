import { describe, expect, test } from 'vitest'
import type { AppliedLayer, Receipt } from '../../../core/contracts/index.ts'
import { workspaceSid } from '../../../plugins/fs-acl/sid.ts'
import { emptyPolicy } from '../../support/fake-request.ts'
import { home, job, makeWorkspace, planContext, stage } from './stage.ts'
import type { Stage } from './stage.ts'

const sid = workspaceSid(job.path)
const project = `${home}\\project`

/** Two launches that between them have every kind of effect. */
const launches: readonly (readonly [string, (one: Stage) => Promise<AppliedLayer>])[] = [
  [
    'a job',
    (one) => one.apply({ policy: { read: [`${home}\\Documents`], write: [`${home}\\cache`], deny: ['README.md', 'src/', 'later'] } }),
  ],
  [
    'a checkout',
    (one) => one.apply({ workspace: { ...job, path: project, gitDirectory: null, objectStores: [] }, policy: { deny: ['.env'] } }),
  ],
]

async function ready(): Promise<Stage> {
  const one = stage()
  await makeWorkspace(one)
  one.disk.lay({ [`${home}\\cache\\deep\\c`]: 'c', [`${project}\\.env`]: 'T=1' })
  return one
}

/** Throws at the nth step, and at every one after it when the process is gone. */
function failAt(one: Stage, wanted: number, gone = false): void {
  let step = 0
  one.disk.step = (what) => {
    step++
    if (step === wanted || (gone && step > wanted)) throw new Error(`the end at ${what}`)
  }
}

async function recoverAll(one: Stage): Promise<void> {
  for (const receipt of one.receipts.toReversed()) await one.plugin.recover(receipt)
}

async function stepsOf(launch: (one: Stage) => Promise<AppliedLayer>): Promise<number> {
  const one = await ready()
  let steps = 0
  one.disk.step = () => void steps++
  await launch(one)
  return steps
}

/** What is left of a launch in its own folder: directories and files, but for the folder itself. */
function ownRubbish(one: Stage): readonly string[] {
  const local = `${home}\\AppData\\Local\\Bulkhead`
  return ['private', 'labels'].flatMap((name) => one.disk.entries(`${local}\\${name}`)?.map((entry) => entry.name) ?? [])
}

describe.each(launches)('%s that fails', (_name, launch) => {
  test('at any step leaves everything as it was, by its receipts alone', async () => {
    const steps = await stepsOf(launch)
    expect(steps).toBeGreaterThan(20)
    for (let wanted = 1; wanted <= steps; wanted++) {
      const one = await ready()
      const before = one.disk.snapshot()
      failAt(one, wanted)
      await expect(launch(one)).rejects.toThrow('the end at')
      one.disk.step = () => undefined
      await recoverAll(one)
      expect(one.disk.snapshot()).toEqual(before)
      expect(ownRubbish(one)).toEqual([])
      await recoverAll(one)
      expect(one.disk.snapshot()).toEqual(before)
      expect([...one.disk.locks]).toEqual([])
    }
  })

  test('while it is undone is undone by the next attempt', async () => {
    const probe = await ready()
    const whole = await launch(probe)
    let steps = 0
    probe.disk.step = () => void steps++
    await whole[Symbol.asyncDispose]()
    for (let wanted = 1; wanted <= steps; wanted++) {
      const one = await ready()
      const before = one.disk.snapshot()
      const applied = await launch(one)
      failAt(one, wanted, true)
      await expect(applied[Symbol.asyncDispose]()).rejects.toThrow('the end at')
      one.disk.step = () => undefined
      await recoverAll(one)
      expect(one.disk.snapshot()).toEqual(before)
      expect(ownRubbish(one)).toEqual([])
    }
  })

  test('because it is told to stop leaves everything as it was', async () => {
    const one = await ready()
    const before = one.disk.snapshot()
    const stop = new AbortController()
    let steps = 0
    one.disk.step = () => {
      if (++steps === 12) stop.abort(new Error('stop'))
    }
    const policy = { ...emptyPolicy, filesystem: { ...emptyPolicy.filesystem, write: [`${home}\\cache`] } }
    const plan = one.plugin.plan(policy, one.plugin.options.parse({}), planContext())
    await expect(one.plugin.apply(plan, one.context({ signal: stop.signal }))).rejects.toThrow('stop')
    one.disk.step = () => undefined
    await recoverAll(one)
    expect(one.disk.snapshot()).toEqual(before)
  })
})

describe('what somebody else did meanwhile stays', () => {
  test('a changed list loses our entries and nothing else', async () => {
    const one = await ready()
    const applied = await one.apply()
    const node = one.disk.at(`${home}\\AppData`)
    node.dacl = node.dacl.replace('D:AI', 'D:PAI(A;;FA;;;S-1-5-21-4-4-4-4)')
    await applied[Symbol.asyncDispose]()
    expect(node.dacl).toMatch(/^D:PAI\(A;;FA;;;S-1-5-21-4-4-4-4\)\(A;OICIID/)
    expect(node.dacl).not.toContain(sid)
  })

  test('entries in another order are put back as they were', async () => {
    const one = await ready()
    const before = one.disk.at(`${home}\\AppData`).dacl
    const applied = await one.apply()
    const node = one.disk.at(`${home}\\AppData`)
    node.dacl = `D:AI${(node.dacl.match(/\([^)]*\)/g) ?? []).toReversed().join('')}`
    await applied[Symbol.asyncDispose]()
    expect(node.dacl).toBe(before)
  })

  test('another object of the same name is left alone', async () => {
    const one = await ready()
    const applied = await one.apply({ policy: { read: [`${home}\\Documents`] } })
    one.disk.move(`${home}\\Documents`, `${home}\\Old`)
    one.disk.lay({ [`${home}\\Documents`]: null })
    one.disk.at(`${home}\\Documents`).dacl = `D:(A;OICI;0x1200a9;;;${sid})`
    await applied[Symbol.asyncDispose]()
    expect(one.disk.at(`${home}\\Documents`).dacl).toBe(`D:(A;OICI;0x1200a9;;;${sid})`)
  })

  test('another object in the place of one that is to be opened is left alone', async () => {
    const one = await ready()
    const place = `${home}\\Documents`
    const policy = { ...emptyPolicy, filesystem: { ...emptyPolicy.filesystem, read: [place] } }
    const plan = one.plugin.plan(policy, one.plugin.options.parse({}), planContext())
    const record = async ({ data }: Receipt): Promise<void> => {
      if ((data as { readonly root?: { readonly path: string } }).root?.path !== place) return
      one.disk.move(place, `${home}\\Old`)
      one.disk.lay({ [place]: null })
    }
    await expect(one.plugin.apply(plan, { ...one.context(), record })).rejects.toThrow('was exchanged while it was being opened')
    expect(one.disk.at(place).dacl).not.toContain(sid)
  })

  test('a placeholder that became a file, or a link, is left alone', async () => {
    for (const make of [
      (one: Stage) => one.disk.lay({ [`${job.path}\\later`]: 'text' }),
      (one: Stage) => one.disk.link(`${job.path}\\later`, home),
    ]) {
      const one = await ready()
      const applied = await one.apply({ policy: { deny: ['later'] } })
      one.disk.removeEmpty(`${job.path}\\later`)
      make(one)
      await applied[Symbol.asyncDispose]()
      expect(one.disk.entries(job.path)?.map(({ name }) => name)).toContain('later')
    }
  })

  test('jobs side by side do not take away each other’s way', async () => {
    const [first, second] = [await ready(), stage()]
    const other = { ...job, path: job.path.replace('fix', 'other'), gitDirectory: (job.gitDirectory ?? '').replace('fix', 'other') }
    const twin = stage(first.disk)
    const making = String.raw`${home}\AppData\Local\bulkhead\repo-1\making\other`
    first.disk.lay({ [making]: null })
    await twin.plugin.prepare?.(
      {
        directory: making,
        path: other.path,
        gitDirectory: other.gitDirectory,
        making: { path: `${making}\\tree`, gitDirectory: `${making}\\git` },
      },
      twin.plugin.options.parse({}),
      first.context().host,
    )
    first.disk.move(making, other.path.slice(0, -'\\tree'.length))
    const before = first.disk.snapshot()
    const [a, b] = await Promise.all([
      first.apply({ policy: { write: [`${home}\\cache`] } }),
      twin.apply({ workspace: other, policy: { write: [`${home}\\cache`] } }),
    ])
    await a[Symbol.asyncDispose]()
    expect(first.disk.at(`${home}\\AppData`).dacl).toContain(workspaceSid(other.path))
    expect(first.disk.at(`${home}\\AppData`).dacl).not.toContain(sid)
    expect(first.disk.at(`${home}\\cache\\deep\\c`).label).toBe('S:(ML;ID;NW;;;LW)')
    await b[Symbol.asyncDispose]()
    expect(first.disk.snapshot()).toEqual(before)
    expect(second.receipts).toEqual([])
  })
})

describe('a receipt from a journal is not trusted', () => {
  test.each<[string, unknown]>([
    ['of another shape', { kind: 'everything' }],
    ['for a directory that is not ours', { kind: 'private', path: home }],
    ['for one that only looks like ours', { kind: 'private', path: `${home}\\Bulkhead\\private\\..\\..\\Documents` }],
    [
      'with a lease that leads elsewhere',
      { kind: 'label', path: home, identity: '..\\..', leases: home, holder: 'x', lock: `${home}\\lock` },
    ],
  ])('%s', async (_name, data) => {
    const one = await ready()
    const before = one.disk.snapshot()
    await expect(async () => one.plugin.recover({ plugin: 'fs-acl', data })).rejects.toThrow()
    expect(one.disk.snapshot()).toEqual(before)
  })

  test('and holds what was there before', async () => {
    const one = await ready()
    const before = one.disk.at(`${home}\\AppData`)
    const text = before.dacl
    await one.apply()
    const objects = one.receipts.flatMap(
      ({ data }) => (data as { objects?: { path: string; before: string; identity: string }[] }).objects ?? [],
    )
    expect(objects.find(({ path }) => path === `${home}\\AppData`)).toMatchObject({ before: text, identity: before.id })
    expect(one.receipts.every(({ plugin }) => plugin === 'fs-acl')).toBe(true)
  })
})
