import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Host, LayerPlugin, Policy } from '../../core/contracts/index.ts'
import { createHost, createLauncher } from '../../native/index.ts'
import template from '../../plugins/_template/index.ts'
import { layerPlugins } from '../../plugins/index.ts'
import { emptyPolicy } from '../support/fake-request.ts'
import type { Prey } from './prey.ts'
import { layOutPrey } from './prey.ts'
import { describeChecks, enforceChecks, faultsOf } from './run.ts'
import type { Case, Subject } from './subject.ts'

const launcher = createLauncher()
const before = process.env['TMPDIR']
let prey: Prey
let base: string
let host: Host

beforeAll(async () => {
  base = await mkdtemp('/var/tmp/bulkhead-conformance-test-')
  // Agents of a root orchestrator are somebody else.
  await chmod(base, 0o755)
  prey = await layOutPrey(base)
  const home = join(base, 'home')
  await mkdir(join(home, '.ssh'), { recursive: true })
  for (const name of ['tmp', 'making']) await mkdir(join(base, name))
  await writeFile(join(prey.workspace, '.env'), 'TOKEN=1\n')
  process.env['TMPDIR'] = join(base, 'tmp')
  host = { ...createHost(launcher), home }
})
afterAll(async () => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  await launcher[Symbol.asyncDispose]()
  await prey[Symbol.asyncDispose]()
  await rm(base, { recursive: true, force: true })
})

/** Policies that touch every part some plugin looks at. */
function cases(): readonly Case[] {
  const full: Policy = {
    ...emptyPolicy,
    filesystem: { read: [prey.directory], write: [], deny: ['.env'] },
    network: { allow: [{ host: 'example.com', port: null }] },
    interception: [{ on: 'file.delete', match: './x', action: 'deny' }],
  }
  return [
    { name: 'an empty policy', policy: emptyPolicy, options: {} },
    { name: 'a policy with everything', policy: full, options: {} },
  ]
}

function subjectOf(plugin: LayerPlugin): Subject {
  const { uid, gid } = host
  return {
    plugin,
    cases: cases(),
    host,
    workspace: { path: prey.workspace, gitDirectory: null, objectStores: [], owner: { uid: uid ?? 0, gid: gid ?? 0 } },
    making: join(base, 'making'),
    effects: async () => (await readdir(base, { recursive: true })).toSorted(),
  }
}

/** The built-in layers that offer what the plugin requires. */
function companionsOf(plugin: LayerPlugin): readonly LayerPlugin[] {
  return [...layerPlugins.values()].filter((other) => other !== plugin && plugin.requires.some((name) => other.provides.includes(name)))
}

/** They cannot work here and say so; they are attacked in the Windows test bed. */
const ofWindows: ReadonlySet<string> = new Set(['token-restricted', 'token-account', 'fs-acl', 'net-wfp', 'intercept-hook'])

/** What they do to the system is tried on one in memory, in their own tests. */
const inMemory: ReadonlySet<string> = new Set(['token-account', 'fs-acl'])

describe.each([...layerPlugins.values(), template].map((plugin) => [plugin.id, plugin] as const))('%s', (_id, plugin) => {
  test.skipIf(inMemory.has(plugin.id))('fulfils the contract', async () => {
    expect(faultsOf(await describeChecks(subjectOf(plugin)))).toEqual([])
  })

  test.runIf(ofWindows.has(plugin.id))('says that it is for another system', async () => {
    expect(await plugin.probe(host)).toMatchObject({ usable: false })
  })

  test.skipIf(ofWindows.has(plugin.id))('withstands the attacks on its layer', async () => {
    const bench = {
      companions: companionsOf(plugin),
      launch: (spec: Parameters<typeof launcher.launch>[0]) => launcher.launch(spec, { kind: 'pipes' }),
    }
    expect(faultsOf(await enforceChecks(subjectOf(plugin), bench, prey, emptyPolicy))).toEqual([])
  })
})
