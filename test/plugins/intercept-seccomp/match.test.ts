import { describe, expect, test } from 'vitest'
import { compileAddress, compilePath } from '../../../plugins/intercept-seccomp/match.ts'

describe('paths', () => {
  test.each([
    ['/usr/bin/curl', ['/usr/bin/curl']],
    ['/usr//bin/./curl', ['/usr/bin/curl']],
    ['/opt/', ['/opt']],
    ['/', ['/']],
    ['/usr/**', ['/usr/**']],
    ['**', ['**']],
    ['**/curl', ['**/curl']],
    ['./dist', ['/w/s/dist', '/w/s/dist/**']],
    ['./dist/', ['/w/s/dist', '/w/s/dist/**']],
    ['./src/*', ['/w/s/src/*', '/w/s/src/*/**']],
    ['./src/**', ['/w/s/src/**']],
    ['.', ['/w/s', '/w/s/**']],
    ['./', ['/w/s', '/w/s/**']],
  ])('%j becomes %j', (match, patterns) => {
    expect(compilePath(match, '/w/s')).toEqual({ patterns })
  })

  test('the workspace is a path, not a pattern', () => {
    expect(compilePath('./x', String.raw`/w/a*b\c`)).toEqual({
      patterns: [String.raw`/w/a\*b\\c/x`, String.raw`/w/a\*b\\c/x/**`],
    })
  })

  test.each([
    ['dist', 'is neither absolute nor starts with ./ or **'],
    ['', 'is neither absolute nor starts with ./ or **'],
    ['../x', 'is neither absolute nor starts with ./ or **'],
    ['./../x', 'contains ".."'],
    ['/a/../b', 'contains ".."'],
    ['/a\0b', 'contains a NUL character'],
    [`/${'a'.repeat(4095)}`, 'is longer than 4095 bytes'],
    [`/${'é'.repeat(2048)}`, 'is longer than 4095 bytes'],
  ])('%j is refused', (match, reason) => {
    expect(compilePath(match, '/w')).toEqual({ reason })
  })
})

describe('addresses', () => {
  test.each([
    ['127.0.0.1:80', ['127.0.0.1:80']],
    ['*:443', ['*:443']],
    ['10.*:*', ['10.*:*']],
    ['[::1]:22', ['[::1]:22']],
    ['[2001:db8:*]:*', ['[2001:db8:*]:*']],
    ['**', ['**']],
    ['@/tmp/.X11-unix/X0', ['@/tmp/.X11-unix/X0']],
    ['/run/docker.sock', ['/run/docker.sock']],
    ['./agent.sock', ['/w/agent.sock', '/w/agent.sock/**']],
  ])('%j becomes %j', (match, patterns) => {
    expect(compileAddress(match, '/w')).toEqual({ patterns })
  })

  test.each(['example.com:443', '*.example.com:443', '10.0.0.1', '::1:80', 'localhost:*', ''])('%j is refused', (match) => {
    expect(compileAddress(match, '/w')).toEqual({
      reason: 'is not address:port; system calls see addresses, host names are for network.allow',
    })
  })
})
