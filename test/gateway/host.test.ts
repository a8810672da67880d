import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../gateway/address.ts'
import { formatAuthority, parseAuthority, parseHost } from '../../gateway/host.ts'
import { compileRule, matchesHost } from '../../gateway/rules.ts'
import { hostName } from './spellings.ts'

describe('canonical hosts', () => {
  test.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['my_bucket.s3.example', 'my_bucket.s3.example'],
    ['registry', 'registry'],
    ['192.0.2.1', '192.0.2.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['[::FFFF:169.254.169.254]', '169.254.169.254'],
    ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1'],
  ])('%s is %s', (text, canonical) => {
    expect(parseHost(text)?.text).toBe(canonical)
  })

  test.each([
    '',
    '.',
    '..',
    'example..com',
    'example.com..',
    '.example.com',
    'evil.test\0.example.com',
    'evil.test%00.example.com',
    'user@example.com',
    'user:pass@example.com',
    'exa mple.com',
    'example.com\n',
    '\texample.com',
    'example.com/',
    'example.com\\evil.test',
    'example.com#evil.test',
    'example.com?',
    '-example.com',
    'example-.com',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.01',
    '127.0.0.256',
    '127.0.0.1.',
    '1.2.3.4.5',
    'example.0x',
    'example.123',
    '[127.0.0.1]',
    '[example.com]',
    '[::1',
    '::1]',
    'fe80::1%eth0',
    '[fe80::1%25eth0]',
    '[::ffff:127.0.0.1%1]',
    ':::',
    '127。0。0。1',
    '１２７.0.0.1',
    '⑫7.0.0.1',
    'xn--',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
  ])('refuses %j', (text) => {
    expect(parseHost(text)).toBeNull()
  })

  test('is a fixed point, and never yields anything but the grammar', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), hostName, fc.ipV4Extended(), fc.ipV6(), fc.domain(), fc.webAuthority()),
        (text) => {
          const host = parseHost(text)
          if (host === null) return
          expect(host.text).toMatch(host.kind === 'name' ? /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/ : /^[0-9a-f.:]+$/)
          expect(parseHost(host.text)).toEqual(host)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('reads addresses as the kernel does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text)
        expect(address).not.toBeNull()
        if (address?.family === 6) expect(address.text).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1))
        expect(parseAddress(address?.text ?? '')).toEqual(address)
      }),
    )
    fc.assert(fc.property(fc.ipV4(), (text) => parseAddress(text)?.text === text))
  })
})

describe('authorities', () => {
  test.each([
    ['example.com', 80, 'example.com:80'],
    ['example.com:8080', 80, 'example.com:8080'],
    ['[::1]:443', 80, '[::1]:443'],
    ['[::1]', 80, '[::1]:80'],
  ])('%s', (text, port, expected) => {
    const authority = parseAuthority(text, port)
    expect(authority === null ? null : formatAuthority(authority.host, authority.port)).toBe(expected)
  })

  test.each([
    'example.com:',
    ':80',
    'example.com:0',
    'example.com:65536',
    'example.com:80:80',
    'example.com:+80',
    'a@b:80',
    '::1:80',
    'example.com: 80',
    '',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text, 80)).toBeNull()
  })

  test('a port can be required', () => {
    expect(parseAuthority('example.com', null)).toBeNull()
  })
})

const matches = (rule: string, host: string): boolean => {
  const compiled = compileRule({ host: rule, port: null })
  const parsed = parseHost(host)
  return typeof compiled !== 'string' && parsed !== null && matchesHost(compiled, parsed)
}

describe('rules', () => {
  test.each([
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.COM.', true],
    ['example.com', 'a.example.com', false],
    ['example.com', 'evilexample.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'evilexample.com', false],
    ['*.example.com', 'example.com.evil.test', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['192.0.2.1', '192.0.2.10', false],
    ['2001:db8::1', '2001:DB8:0::1', true],
  ])('%s and %s: %s', (rule, host, expected) => {
    expect(matches(rule, host)).toBe(expected)
  })

  test.each([
    '*',
    '*.',
    '*.*.com',
    'a.*.com',
    '*.192.0.2.1',
    '127.1',
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '::',
    '198.18.0.5',
    'localhost',
    'x.localhost',
    '',
  ])('cannot hold %j', (host) => {
    expect(compileRule({ host, port: null })).toEqual(expect.any(String))
  })

  test.each([0, -1, 65_536, 1.5, Number.NaN])('cannot hold port %s', (port) => {
    expect(compileRule({ host: 'example.com', port })).toEqual(expect.any(String))
  })
})
