/** The hook goes where the agent's processes go: node, cmd, git, and whatever they start. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { agent, brief, playground, underHook } from '../../support/hook.ts'

/** Runs a script in Node and says what came of each attempt: `name code`. */
const script = String.raw`
const fs = require('node:fs')
const { spawnSync, execFileSync } = require('node:child_process')
const [deny, free, agent] = process.argv.slice(2)
const attempt = (name, act) => {
  try { act(); console.log(name, 'ok') } catch (error) { console.log(name, error.code ?? error.message) }
}
attempt('write', () => fs.writeFileSync(deny + '\\f', 'x'))
attempt('append', () => fs.appendFileSync(deny + '\\f', 'x'))
attempt('rename', () => fs.renameSync(free + '\\f', deny + '\\r'))
attempt('unlink', () => fs.unlinkSync(deny + '\\f'))
attempt('mkdir', () => fs.mkdirSync(deny + '\\d'))
attempt('copy', () => fs.copyFileSync(free + '\\f', deny + '\\c'))
attempt('read', () => fs.readFileSync(deny + '\\f'))
attempt('free', () => fs.writeFileSync(free + '\\f', 'x'))
process.stdout.write(spawnSync('cmd.exe', ['/d', '/c', agent, 'write', deny + '\\f'], { encoding: 'utf8' }).stdout)
process.stdout.write(spawnSync(process.execPath, ['-e', 'try { require("node:fs").writeFileSync(process.argv[1], "x"); console.log("inner ok") } catch (e) { console.log("inner", e.code) }', deny + '\\f'], { encoding: 'utf8' }).stdout)
`

const rulesFor = (deny: string): readonly string[] => [
  `file.write,deny,${deny}\\**`,
  `file.delete,deny,${deny}\\**`,
  `file.rename,deny,${deny}\\**`,
]

test('node, its cmd, the program that starts, and its node', async () => {
  using place = playground()
  const file = join(place.directory, 'script.cjs')
  writeFileSync(file, script)
  const result = await underHook(rulesFor(place.deny), [process.execPath, file, place.deny, place.free, agent])
  assert.deepEqual(result.lines, [
    'write EPERM',
    'append EPERM',
    'rename EPERM',
    'unlink EPERM',
    'mkdir EPERM',
    'copy EPERM',
    'read ok',
    'free ok',
    'write 5',
    'inner EPERM',
  ])
  const programs = result.events.map(({ program, object }) => `${program} ${object.slice(place.deny.length + 1)}`)
  assert.deepEqual(programs, [
    'node.exe f',
    'node.exe f',
    'node.exe r',
    'node.exe f',
    'node.exe d',
    'node.exe c',
    'hook-agent.exe f',
    'node.exe f',
  ])
  assert.equal(new Set(result.events.map(({ pid }) => pid)).size, 3)
})

test('control: without the hook all of it works', async () => {
  using place = playground()
  const file = join(place.directory, 'script.cjs')
  writeFileSync(file, script)
  const result = await underHook(['unhooked', ...rulesFor(place.deny)], [process.execPath, file, place.deny, place.free, agent])
  assert.deepEqual(
    result.lines.filter((line) => !/ (?:ok|0)$/.test(line)),
    // The earlier attempts have moved and deleted what the later ones read.
    ['copy ENOENT', 'read ENOENT'],
  )
})

test('git works in a directory, and not where a rule stands', async () => {
  using place = playground()
  const git = (...words: readonly string[]): readonly string[] => ['git.exe', '-C', place.directory, ...words]
  const rules = [`file.write,deny,${place.directory}\\.git\\refs\\**`, 'process.exec,allow,**\\git.exe']
  assert.notEqual((await underHook(rules, git('init', '--quiet'))).exit, 0)
  const open = await underHook(['process.exec,allow,**\\git.exe'], git('init', '--quiet'))
  assert.equal(open.exit, 0)
  const add = await underHook(rules, git('add', '.'))
  assert.equal(add.exit, 0)
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com']
  const refused = await underHook(rules, git(...identity, 'commit', '--quiet', '-m', 'x'))
  assert.notEqual(refused.exit, 0)
  assert.ok(
    brief(refused).some((line) => line.includes('file.write deny') && line.includes('refs')),
    brief(refused).join('\n'),
  )
  assert.equal((await underHook([], git(...identity, 'commit', '--quiet', '-m', 'x'))).exit, 0)
})
