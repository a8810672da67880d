import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expandDeny } from '../../../plugins/fs-view/deny-expand.ts'
import { parseDeny } from '../../../plugins/fs-view/deny-pattern.ts'

let base: string
let workspace: string
let shared: string
let unseen: string

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'bulkhead-deny-'))
  workspace = join(base, 'ws')
  shared = join(base, 'shared')
  unseen = join(base, 'unseen')
  const files = [
    'ws/.env',
    'ws/app/.env',
    'ws/app/.env.local',
    'ws/app/keys/a.key',
    'ws/app/keys/deep/b.key',
    'ws/config/prod/secret',
    'ws/config/secret',
    'ws/dist/out.js',
    'shared/secret',
    'shared/a/secret',
    'unseen/secret',
  ]
  for (const file of files) {
    mkdirSync(dirname(join(base, file)), { recursive: true })
    writeFileSync(join(base, file), '')
  }
  mkdirSync(join(workspace, 'secret'))
  symlinkSync('config/secret', join(workspace, 'inward'))
  symlinkSync(join(unseen, 'secret'), join(workspace, 'outward'))
  symlinkSync(unseen, join(workspace, 'directory'))
  symlinkSync('.', join(workspace, 'loop'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

async function hidden(...patterns: string[]): Promise<readonly string[]> {
  const parsed = patterns.map((text) => {
    const pattern = parseDeny(text.replace('BASE', base), workspace)
    if (pattern === undefined) throw new Error(`not understood: ${text}`)
    return pattern
  })
  const found = await expandDeny(parsed, [workspace, shared], new AbortController().signal)
  return found.map((path) => path.slice(base.length + 1))
}

describe('gitignore’s rules', () => {
  test.each<[string, readonly string[]]>([
    ['.env', ['ws/.env', 'ws/app/.env']],
    ['./.env', ['ws/.env']],
    ['.env*', ['ws/.env', 'ws/app/.env', 'ws/app/.env.local']],
    ['*.key', ['ws/app/keys/a.key', 'ws/app/keys/deep/b.key']],
    ['app/keys/*.key', ['ws/app/keys/a.key']],
    ['app/**/*.key', ['ws/app/keys/a.key', 'ws/app/keys/deep/b.key']],
    ['config/**/secret', ['ws/config/prod/secret', 'ws/config/secret']],
    ['config/**', ['ws/config/prod', 'ws/config/secret']],
    ['config', ['ws/config']],
    ['dist/', ['ws/dist']],
    ['secret', ['ws/config/prod/secret', 'ws/config/secret', 'ws/secret']],
    ['secret/', ['ws/secret']],
    ['**/secret', ['ws/config/prod/secret', 'ws/config/secret', 'ws/secret']],
    ['**', ['ws/.env', 'ws/app', 'ws/config', 'ws/dist', 'ws/secret']],
    ['nothing', []],
    ['BASE/shared/secret', ['shared/secret']],
    ['BASE/shared/*/secret', ['shared/a/secret']],
    ['BASE/*/secret', ['shared/secret', 'ws/secret']],
    ['BASE/unseen/secret', []],
    ['/**/a/secret', ['shared/a/secret']],
  ])('%s', async (pattern, expected) => {
    expect(await hidden(pattern)).toEqual(expected)
  })
})

test('a denied link stands for what it leads to, if that is shown', async () => {
  expect(await hidden('inward')).toEqual(['ws/config/secret'])
  expect(await hidden('outward')).toEqual([])
  expect(await hidden('directory/secret')).toEqual([])
})

test('what lies in something hidden is not hidden again', async () => {
  expect(await hidden('app', '.env', '*.key')).toEqual(['ws/.env', 'ws/app'])
})

test('a pattern that matches too much is refused', async () => {
  const many = join(workspace, 'many')
  mkdirSync(many)
  for (let index = 0; index < 1001; index++) writeFileSync(join(many, `${index}.x`), '')
  try {
    await expect(hidden('*.x')).rejects.toThrow(expect.objectContaining({ code: 'config_invalid' }))
    expect(await hidden('many')).toEqual(['ws/many'])
  } finally {
    rmSync(many, { recursive: true })
  }
})

test('stops when it is told to', async () => {
  const pattern = parseDeny('**/secret', workspace)
  await expect(expandDeny(pattern === undefined ? [] : [pattern], [workspace], AbortSignal.abort(new Error('stop')))).rejects.toThrow(
    'stop',
  )
})
