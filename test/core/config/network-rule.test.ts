import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NetworkRule } from '../../../core/contracts/index.ts'
import { coversRule, formatNetworkRule, parseNetworkRule } from '../../../core/config/network-rule.ts'

const host = (text: string, port: number | null = null) => ({ rule: { host: text, port } })

test.each([
  ['api.example.com', host('api.example.com')],
  ['api.example.com:8443', host('api.example.com', 8443)],
  ['*.example.com', host('*.example.com')],
  ['*.example.com:22', host('*.example.com', 22)],
  ['localhost:3000', host('localhost', 3000)],
  ['xn--bcher-kva.example', host('xn--bcher-kva.example')],
  ['192.0.2.1:22', host('192.0.2.1', 22)],
  ['2001:db8::1', host('2001:db8::1')],
  ['[2001:db8::1]', host('2001:db8::1')],
  ['[2001:db8::1]:443', host('2001:db8::1', 443)],
])('%s is taken', (text, expected) => {
  expect(parseNetworkRule(text)).toEqual(expected)
})

describe('everything else is refused, with the canonical spelling where there is one', () => {
  test.each([
    ['', 'is not a host name'],
    ['*', 'every host'],
    ['*.com', 'top-level domain'],
    ['a.*.com', 'not its whole first label'],
    ['*example.com', 'not its whole first label'],
    ['Example.com', 'Write example.com.'],
    ['example.com.', 'Write example.com.'],
    ['bücher.example', 'Write xn--bcher-kva.example.'],
    ['*.BÜCHER.example', 'Write *.xn--bcher-kva.example.'],
    ['https://example.com/x', 'Write example.com.'],
    ['example.com/x', 'has a path'],
    ['user@example.com', 'user information'],
    ['example.com:', 'is not a port'],
    ['example.com:0', 'is not a port'],
    ['example.com:65536', 'is not a port'],
    ['example.com:080', 'is not a port'],
    ['example.com:80:90', 'is not a port'],
    ['exa mple.com', 'is not a host name'],
    ['exam\0ple.com', 'is not a host name'],
    ['-a.example', 'is not a host name'],
    ['a..example', 'is not a host name'],
    ['127.1', 'is not a host name'],
    ['0x7f.1', 'is not a host name'],
    ['2130706433', 'is not a host name'],
    ['010.0.0.1', 'is not a host name'],
    ['256.0.0.1', 'is not a host name'],
    ['[::ffff:192.0.2.1]', 'Write 192.0.2.1.'],
    ['2001:DB8::1', 'Write 2001:db8::1.'],
    ['[fe80::1%eth0]', 'zone'],
    ['[example.com]', 'not an IPv6 address'],
    [`${'a'.repeat(64)}.example`, 'is not a host name'],
    [`${'a.'.repeat(127)}example`, 'is not a host name'],
  ])('%j', (text, words) => {
    const result = parseNetworkRule(text)
    expect('problem' in result ? `${result.problem} ${result.remedy}` : JSON.stringify(result)).toContain(words)
  })
})

test('noise is never taken but canonically', () => {
  const noise = fc.string({
    unit: fc.constantFrom('a', 'b', 'X', '.', '*', ':', '[', ']', '1', '0', '-', '_', '%', '@', '/', 'ü', '\0', ' '),
  })
  fc.assert(
    fc.property(noise, (text) => {
      const result = parseNetworkRule(text)
      if (!('rule' in result)) return
      expect(parseNetworkRule(formatNetworkRule(result.rule))).toEqual(result)
      expect(result.rule.host).toMatch(/^(?:\*\.)?[a-z0-9_.:-]+$/)
    }),
    { numRuns: 5000 },
  )
})

function rule(text: string): NetworkRule {
  return (parseNetworkRule(text) as { rule: NetworkRule }).rule
}

test.each([
  ['example.com', 'example.com:443', true],
  ['example.com', 'example.com:22', false],
  ['example.com:22', 'example.com', false],
  ['*.example.com', 'a.example.com', true],
  ['*.example.com', 'a.b.example.com', true],
  ['*.example.com', '*.b.example.com', true],
  ['*.example.com', '*.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', 'badexample.com', false],
  ['*.b.example.com', '*.example.com', false],
  ['a.example.com', '*.a.example.com', false],
])('%s covers %s: %s', (wide, narrow, expected) => {
  expect(coversRule(rule(wide), rule(narrow))).toBe(expected)
})
