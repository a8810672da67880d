import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultPolicy } from '../../../core/config/defaults.ts'
import { accessOf, narrow } from '../../../core/config/narrow.ts'
import { emptyPatch, type PolicyPatch } from '../../../core/config/policy-patch.ts'
import type { InterceptionRule, NetworkRule, Policy } from '../../../core/contracts/index.ts'

// A small world, so that random policies meet: every path, host, act and variable in it is asked about afterwards.
const names = ['a', 'b', 'ab']
const paths = ['/', ...names.map((x) => `/${x}`), ...names.flatMap((x) => names.map((y) => `/${x}/${y}`)), '/a/b/c', '/a/b/c/d', '/a/b/cc']
const hosts = ['x.y', 'a.x.y', 'b.a.x.y', 'ax.y', 'y.z', '192.0.2.1', '::1']
const ports = [22, 80, 443, 8080]
const acts = ['file.delete', 'process.exec'] as const
const objects = ['./dist', './src']
const variables = ['A', 'B', 'C', 'PATH']

const path = fc.constantFrom(...paths.slice(1))
const networkRule: fc.Arbitrary<NetworkRule> = fc.record({
  host: fc.constantFrom(...hosts, '*.x.y', '*.a.x.y', '*.y'),
  port: fc.constantFrom(null, ...ports),
})
const rule: fc.Arbitrary<InterceptionRule> = fc.record({
  on: fc.constantFrom(...acts),
  match: fc.constantFrom(...objects, '**'),
  action: fc.constantFrom('allow', 'ask', 'emulate', 'redirect', 'deny', 'kill'),
})
const limit = fc.option(fc.integer({ min: 1, max: 5 }))
const limits = fc.record({ timeMs: limit, stallMs: limit, outputBytes: limit, processes: limit, openFiles: limit, temporaryBytes: limit })
const values = fc.dictionary(fc.constantFrom(...variables), fc.constantFrom('1', '2'))

const policy: fc.Arbitrary<Policy> = fc.record({
  filesystem: fc.record({ read: fc.array(path), write: fc.array(path), deny: fc.uniqueArray(path) }),
  network: fc.record({ allow: fc.array(networkRule) }),
  interception: fc.array(rule, { maxLength: 3 }),
  limits,
  environment: values,
  pass: fc.uniqueArray(fc.constantFrom(...variables)),
})
const patch: fc.Arbitrary<PolicyPatch> = fc.record({
  read: fc.option(fc.array(path)),
  write: fc.option(fc.array(path)),
  deny: fc.option(fc.array(path)),
  network: fc.option(fc.array(networkRule)),
  interception: fc.option(fc.array(rule, { maxLength: 3 })),
  limits: fc.record(
    { timeMs: limit, stallMs: limit, outputBytes: limit, processes: limit, openFiles: limit, temporaryBytes: limit },
    { requiredKeys: [] },
  ),
  pass: fc.option(fc.uniqueArray(fc.constantFrom(...variables))),
  set: fc.option(values),
})

// Oracles, written from the meaning of a policy and not from the code under test.
const rank = { none: 0, read: 1, write: 2 }
const strength = { unmatched: 0, allow: 0, ask: 1, emulate: 2, redirect: 2, deny: 3, kill: 4 }

function reaches({ network }: Policy, host: string, port: number): boolean {
  return network.allow.some((one) => {
    const sameHost = one.host.startsWith('*.') ? host.endsWith(one.host.slice(1)) && host !== one.host.slice(2) : host === one.host
    return sameHost && (one.port === null ? port === 80 || port === 443 : port === one.port)
  })
}

function answer({ interception }: Policy, on: string, object: string): keyof typeof strength {
  return interception.find((one) => one.on === on && (one.match === '**' || one.match === object))?.action ?? 'unmatched'
}

function check(holds: (before: Policy, after: Policy) => void): void {
  fc.assert(
    fc.property(policy, patch, (before, asked) => holds(before, narrow(before, asked).policy)),
    { numRuns: 1000 },
  )
}

describe('narrowing never allows what the policy did not', () => {
  test('paths, component by component', () => {
    check((before, after) => {
      for (const one of paths) expect(rank[accessOf(after.filesystem, one)]).toBeLessThanOrEqual(rank[accessOf(before.filesystem, one)])
      expect(after.filesystem.deny).toEqual(expect.arrayContaining([...before.filesystem.deny]))
    })
  })

  test('hosts and ports', () => {
    check((before, after) => {
      for (const host of hosts)
        for (const port of ports)
          if (reaches(after, host, port)) expect({ host, port, allowed: reaches(before, host, port) }).toMatchObject({ allowed: true })
    })
  })

  test('interception', () => {
    check((before, after) => {
      for (const on of acts)
        for (const object of objects)
          expect(strength[answer(after, on, object)]).toBeGreaterThanOrEqual(strength[answer(before, on, object)])
    })
  })

  test('limits', () => {
    check((before, after) => {
      for (const [key, most] of Object.entries(before.limits))
        expect(after.limits[key as keyof Policy['limits']] ?? Infinity).toBeLessThanOrEqual(most ?? Infinity)
    })
  })

  test('variables', () => {
    check((before, after) => {
      const known = [...Object.keys(before.environment), ...(before.pass ?? [])]
      expect(known).toEqual(expect.arrayContaining([...Object.keys(after.environment), ...(after.pass ?? [])]))
      expect(before.pass).toEqual(expect.arrayContaining([...(after.pass ?? [])]))
    })
  })

  test('and an empty patch changes nothing', () => {
    fc.assert(
      fc.property(policy, (before) => {
        const clean = { ...before, pass: (before.pass ?? []).filter((name) => !Object.hasOwn(before.environment, name)) }
        expect(narrow(clean, emptyPatch)).toEqual({ policy: clean, widenings: [] })
      }),
    )
  })
})

test('each kind of widening is named with the key that would have to allow it', () => {
  const user: Policy = {
    ...defaultPolicy,
    filesystem: { read: ['/opt/tools'], write: ['/var/cache/x'], deny: [] },
    network: { allow: [{ host: '*.example.com', port: null }] },
    interception: [{ on: 'file.delete', match: '**', action: 'deny' }],
  }
  const { widenings } = narrow(user, {
    read: ['/opt/tools/a', '/opt/toolsx'],
    write: ['/opt/tools'],
    deny: null,
    network: [
      { host: 'example.com', port: null },
      { host: 'a.example.com', port: 443 },
    ],
    interception: [
      { on: 'file.delete', match: './dist', action: 'ask' },
      { on: 'process.exec', match: '/usr/bin/curl', action: 'deny' },
    ],
    limits: { timeMs: null, processes: 5000 },
    pass: ['SECRET'],
    set: { LD_PRELOAD: '/x' },
  })
  expect(widenings).toEqual([
    { path: ['filesystem', 'read', 1], value: '/opt/toolsx', key: 'policy.filesystem.read' },
    { path: ['filesystem', 'write', 0], value: '/opt/tools', key: 'policy.filesystem.write' },
    { path: ['network', 'allow', 0], value: 'example.com', key: 'policy.network.allow' },
    { path: ['interception', 0], value: '{on: file.delete, match: ./dist, action: ask}', key: 'policy.interception' },
    { path: ['limits', 'time'], value: 'unlimited', key: 'policy.limits.time' },
    { path: ['limits', 'processes'], value: '5000', key: 'policy.limits.processes' },
    { path: ['environment', 'pass', 0], value: 'SECRET', key: 'policy.environment.pass' },
    { path: ['environment', 'set', 'LD_PRELOAD'], value: 'LD_PRELOAD', key: 'policy.environment.set' },
  ])
})
