/** What every other case takes for granted. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { release, type } from 'node:os'
import { test } from 'node:test'
import koffi from 'koffi'

test('this is Windows 10 to a program', () => {
  assert.equal(process.platform, 'win32')
  assert.equal(type(), 'Windows_NT')
  assert.match(release(), /^10\.0\./)
})

test('koffi calls into a system library', () => {
  const call = koffi.load('kernel32.dll').func('uint32_t GetCurrentProcessId()') as () => number
  assert.equal(call(), process.pid)
})

test('git is Git for Windows', () => {
  assert.match(execFileSync('git', ['--version'], { encoding: 'utf8' }), /^git version 2\.45\.0\.windows/)
})

test('nothing of the caller’s environment is here', () => {
  assert.equal(process.env['BULKHEAD_WINDOWS_CACHE'], undefined)
  assert.equal(process.env['npm_config_registry'], undefined)
})
