import { describe, expect, test } from 'vitest'
import { admission, ProxyCredentials } from '../../gateway/proxy-credentials.ts'

const credentials = new ProxyCredentials()
const { username, password } = new URL(credentials.url(8080))
const basic = (text: string): string => Buffer.from(text).toString('base64')
const right = basic(`${username}:${password}`)

test('the URL names the loopback and the port, and needs no escaping', () => {
  expect(credentials.url(8080)).toMatch(/^http:\/\/bulkhead:[A-Za-z0-9_-]{32}@127\.0\.0\.1:8080$/)
})

test('every job has its own', () => {
  expect(new ProxyCredentials().accepts(`Basic ${right}`)).toBe(false)
})

describe('what is shown', () => {
  test.each([
    ['nothing', [], 'absent'],
    ['nothing, with the header for servers', ['Authorization', `Basic ${right}`], 'absent'],
    ['the credentials', ['Proxy-Authorization', `Basic ${right}`], 'granted'],
    ['the credentials, spelled otherwise', ['PROXY-AUTHORIZATION', `bASIC  ${right}`], 'granted'],
    ['an empty header', ['Proxy-Authorization', ''], 'wrong'],
    ['the password alone', ['Proxy-Authorization', `Basic ${password}`], 'wrong'],
    ['another user', ['Proxy-Authorization', `Basic ${basic(`root:${password}`)}`], 'wrong'],
    ['a prefix', ['Proxy-Authorization', `Basic ${right.slice(0, -4)}`], 'wrong'],
    ['more than it', ['Proxy-Authorization', `Basic ${right}, Basic ${right}`], 'wrong'],
    ['another scheme', ['Proxy-Authorization', `Bearer ${right}`], 'wrong'],
    ['it twice', ['Proxy-Authorization', `Basic ${right}`, 'Proxy-Authorization', `Basic ${right}`], 'wrong'],
    ['it, and something else', ['Proxy-Authorization', `Basic ${right}`, 'Proxy-Authorization', 'Basic eDp5'], 'wrong'],
  ] as const)('%s', (_, headers, answer) => {
    expect(admission(credentials, headers)).toBe(answer)
  })

  test('nothing is needed where nobody else can come', () => {
    expect(admission(null, [])).toBe('granted')
    expect(admission(null, ['Proxy-Authorization', 'Basic eDp5'])).toBe('granted')
  })
})
