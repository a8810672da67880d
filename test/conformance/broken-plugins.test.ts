import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { AppliedLayer, EmptyWorkspace, LayerPlugin, LaunchSpec } from '../../core/contracts/index.ts'
import { emptyPolicy, enterRequest, fakeHost } from '../support/fake-request.ts'
import type { FakeLayerOptions } from '../support/fake-layer.ts'
import { fakeLayer, FakeWorld } from '../support/fake-layer.ts'
import { describeChecks, faultsOf } from './run.ts'
import type { Subject } from './subject.ts'

const making = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-broken-')))
afterAll(() => rmSync(making, { recursive: true }))

/** Options that refuse what they do not know, unlike those of the fake. */
const strict = (plugin: LayerPlugin): LayerPlugin => ({
  ...plugin,
  options: (plugin.options as unknown as { strict(): LayerPlugin['options'] }).strict(),
})

function faulty(options: FakeLayerOptions, change: (plugin: LayerPlugin) => LayerPlugin = (plugin) => plugin): Promise<readonly string[]> {
  const world = options.world ?? new FakeWorld()
  const plugin = change(
    strict(
      fakeLayer('filesystem', {
        world,
        effects: 2,
        ...options,
        replace: { probe: (host) => host.can('landlock').then(({ ok }) => (ok ? works : fails)), ...options.replace },
      }),
    ),
  )
  const subject: Subject = {
    plugin,
    cases: [{ name: 'empty', policy: emptyPolicy, options: {} }],
    host: fakeHost,
    workspace: enterRequest().workspace,
    making,
    effects: async () => [...world.effects, ...readdirSync(making)].toSorted(),
  }
  return describeChecks(subject).then(faultsOf)
}

const works = { usable: true, tier: 'full', detail: '' } as const
const fails = { usable: false, reason: 'no Landlock', remedy: 'another kernel' } as const

test('a plugin that fulfils the contract has no fault', async () => {
  expect(await faulty({})).toEqual([])
  const prepare: LayerPlugin['prepare'] = async (workspace) => {
    mkdirSync(join(workspace.making.path, '.git'), { recursive: true })
    mkdirSync(workspace.making.gitDirectory)
  }
  expect(await faulty({ replace: { prepare } })).toEqual([])
})

describe('what is wrong is found', () => {
  const world = new FakeWorld()

  test.each<[string, FakeLayerOptions, (plugin: LayerPlugin) => LayerPlugin, RegExp]>([
    ['an id of another form', {}, (plugin) => ({ ...plugin, id: 'Filesystem' }), /has the shape.*not of the form/],
    ['a capability it needs from itself', { provides: ['root'], requires: ['root'] }, same, /provides and requires "root"/],
    ['a probe that believes what the kernel denies', { replace: { probe: async () => works } }, same, /says it enforces something/],
    ['no remedy', { replace: { probe: async () => ({ ...fails, remedy: '' }) } }, same, /no remedy/],
    ['a plan by the clock', {}, withPlan(() => ({ steps: [process.hrtime.bigint().toString()] })), /two plans of the same differ/],
    ['a plan by the environment', {}, withPlan(() => ({ data: process.env['PATH'] })), /two plans of the same differ/],
    ['a plan that is not JSON', {}, withPlan(() => ({ data: { when: new Date(0) } })), /not plain JSON/],
    ['a claim twice', {}, withPlan(() => ({ enforces: [claim, claim] })), /claim "holds" is made twice/],
    ['a tier without claims', {}, withPlan(() => ({ enforces: [] })), /tier "full" with 0 claims/],
    ['a plan that changes the policy', {}, changingPolicy, /plans purely.*threw TypeError/],
    ['a plan that asks the host', {}, askingHost, /plan asked the host/],
    ['an effect before its receipt', { world }, earlyEffect(world), /something was done before the first receipt/],
    [
      'a recovery that does nothing',
      { replace: { recover: async () => undefined } },
      same,
      /recovers from its receipts alone.*something is left/,
    ],
    [
      'an end that undoes nothing',
      { replaceApplied: { [Symbol.asyncDispose]: async () => undefined } },
      same,
      /undoes all it did|something is left/,
    ],
    ['a recovery that works once', {}, recoverOnce(), /recovers from its receipts alone, twice.*threw Error: gone already/],
    ['a part of another layer', { replaceApplied: { contribute: meddling } }, same, /it changed limits/],
    ['no part of its own', { replaceApplied: { contribute: (spec) => spec } }, same, /contributes nothing/],
    ['another command', { replaceApplied: { contribute: otherCommand } }, same, /it changed the command/],
    [
      'evidence that is always good',
      { replaceApplied: { verify: async () => [{ claim: 'holds', held: true, detail: '' }] } },
      same,
      /"holds" holds whatever happens/,
    ],
    ['a preparation that fails', preparing(() => JSON.parse('')), same, /prepares an empty workspace.*threw SyntaxError/],
    ['a preparation that leaves something outside', preparing(() => mkdirSync(`${making}/stray`)), same, /something is left after/],
    ['a preparation that adds content', preparing(({ directory }) => writeFileSync(join(directory, 'x'), '')), same, /it made "x"/],
    ['a preparation that makes a link', preparing((one) => symlinkSync('/', one.making.path)), same, /"tree" is not a directory/],
    ['no evidence', { replaceApplied: { verify: async () => [] } }, same, /evidence is for/],
  ])('%s', async (_name, options, change, fault) => {
    const faults = await faulty(options, change)
    expect(faults.filter((line) => fault.test(line))).not.toEqual([])
  })
})

function preparing(work: (workspace: EmptyWorkspace) => unknown): FakeLayerOptions {
  return { replace: { prepare: async (workspace) => void work(workspace) } }
}

const claim = { id: 'holds', text: 'it holds' }

function same(plugin: LayerPlugin): LayerPlugin {
  return plugin
}

function withPlan(change: () => object): (plugin: LayerPlugin) => LayerPlugin {
  return (plugin) => ({ ...plugin, plan: (...request) => ({ ...plugin.plan(...request), ...change() }) })
}

function changingPolicy(plugin: LayerPlugin): LayerPlugin {
  return {
    ...plugin,
    plan: (policy, options, context) => {
      ;(policy.filesystem.read as string[]).push('/')
      return plugin.plan(policy, options, context)
    },
  }
}

function askingHost(plugin: LayerPlugin): LayerPlugin {
  return {
    ...plugin,
    plan: (policy, options, context) => {
      void context.host.can('landlock')
      return plugin.plan(policy, options, context)
    },
  }
}

function earlyEffect(world: FakeWorld): (plugin: LayerPlugin) => LayerPlugin {
  return (plugin) => ({
    ...plugin,
    apply: async (plan, context) => {
      world.effects.add('job_conformance0/filesystem/0')
      return plugin.apply(plan, context)
    },
  })
}

function recoverOnce(): (plugin: LayerPlugin) => LayerPlugin {
  const done = new Set<string>()
  return (plugin) => ({
    ...plugin,
    apply: async (plan, context) => {
      done.clear()
      return plugin.apply(plan, context)
    },
    recover: async (receipt) => {
      const key = JSON.stringify(receipt)
      if (done.has(key)) throw new Error('gone already')
      done.add(key)
      await plugin.recover(receipt)
    },
  })
}

function meddling(spec: LaunchSpec): ReturnType<AppliedLayer['contribute']> {
  return { ...spec, filesystem: { mechanism: 'linux-view', entries: [], landlock: null }, limits: { processes: 1, openFiles: 1 } }
}

function otherCommand(spec: LaunchSpec): LaunchSpec {
  return { ...spec, command: { ...spec.command, argv: ['/bin/sh'] } }
}
