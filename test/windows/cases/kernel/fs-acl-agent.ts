/**
 * An agent behind the filesystem layer and a restricted token, and nothing else: it can work in its workspace, nowhere else, and so can its
 * children; and without the layer, or without the token, the layer's own attacks say so.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { defaultPolicy } from '../../../../core/config/defaults.ts'
import type { Denial, Enforced, LayerPlugin, RestrictedToken, WorkspaceView } from '../../../../core/contracts/index.ts'
import { BulkheadError } from '../../../../core/contracts/index.ts'
import { fileSecurity } from '../../../../native/index.ts'
import { layerPlugins } from '../../../../plugins/index.ts'
import { restrictedTokenLayer } from '../../support/restricted-token-layer.ts'
import { textOf } from '../../support/run.ts'
import { environmentOf, Walls } from '../../support/walls.ts'

const environment = environmentOf({ filesystem: 'fs-acl', token: 'token-test', network: 'net-none', interception: 'intercept-none' })
const withToken = (token: LayerPlugin): ReadonlyMap<string, LayerPlugin> => new Map([...layerPlugins, ['token-test', token]])

let walls: Walls
before(() => {
  walls = new Walls(environment, { plugins: withToken(restrictedTokenLayer()) })
})
after(() => walls[Symbol.asyncDispose]())

const git = (view: WorkspaceView, ...args: readonly string[]): string =>
  execFileSync('git', args, { encoding: 'utf8', env: { ...process.env, GIT_DIR: view.gitDirectory ?? '', GIT_WORK_TREE: view.path } })

async function run(enforced: Enforced): Promise<string> {
  enforced.sandbox.stdin?.end()
  const texts = Promise.all([textOf(enforced.sandbox.stdout), textOf(enforced.sandbox.stderr)])
  await enforced.sandbox.start()
  await enforced.sandbox.exited
  const [out, error] = await texts
  return out + error
}

/** Runs a script of the agent; what it prints. */
async function agent(view: WorkspaceView, script: string): Promise<string> {
  await using enforced = await walls.enter(view, [process.execPath, '-e', script])
  // Awaited here: what is returned as it is would outlive the sandbox.
  return await run(enforced)
}

const attempt = `const attempt = (work) => { try { return String(work() ?? 'done') } catch (error) { return error.code ?? error.message } }
const fs = require('fs'), cp = require('child_process'), path = require('path')\n`

describe('an agent', () => {
  test('can work where it is to work, and every wall of the layer holds', async () => {
    const view = await walls.workspace('works', { 'README.md': 'one\n', 'src/a.txt': 'a\n' })
    git(view, 'init', '-q')
    git(view, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first')
    await using enforced = await walls.enter(view, [
      process.execPath,
      '-e',
      `${attempt}
      const git = (...args) => cp.execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      fs.writeFileSync('src/b.txt', 'b'); fs.renameSync('src/a.txt', 'src/c.txt'); fs.mkdirSync('deep/er', { recursive: true }); fs.rmSync('README.md')
      fs.writeFileSync(path.join(process.env.TEMP, 't'), 'x')
      fs.writeFileSync(path.join(process.env.APPDATA, 't'), 'x')
      git('add', '-A'); git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'second')
      cp.execFileSync('cmd.exe', ['/d', '/c', 'copy', 'src\\\\b.txt', 'src\\\\d.txt'], { stdio: 'ignore' })
      console.log(JSON.stringify({ log: git('log', '--format=%s'), real: fs.realpathSync('src'), status: git('status', '--porcelain') }))`,
    ])
    assert.deepEqual(
      enforced.evidence.filter(({ held }) => !held),
      [],
    )
    assert.ok(enforced.evidence.length >= 9)
    const said = await run(enforced)
    assert.deepEqual(JSON.parse(said.split('\n').find((line) => line.startsWith('{')) ?? said), {
      log: 'second\nfirst\n',
      real: join(view.path, 'src'),
      status: '?? src/d.txt\n',
    })
    assert.equal(readFileSync(join(view.path, 'src', 'c.txt'), 'utf8'), 'a\n')
  })

  test('gets to nothing of the user’s, of another workspace or of Bulkhead’s, nor do its children', async () => {
    const view = await walls.workspace('confined', { 'a.txt': 'a' })
    const other = await walls.workspace('other', { 'theirs.txt': 'theirs' })
    writeFileSync(join(walls.home, 'secret.txt'), 'secret')
    const targets = [join(walls.home, 'secret.txt'), join(other.path, 'theirs.txt'), join(dirname(view.path), 'workspace.json')]
    const script = `${attempt}
      const targets = ${JSON.stringify(targets)}
      const child = (code, argument) => cp.execFileSync(process.execPath, ['-e', code, argument], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      console.log(JSON.stringify({
        read: targets.map((file) => attempt(() => fs.readFileSync(file, 'utf8'))),
        write: targets.map((file) => attempt(() => fs.writeFileSync(file, 'x'))),
        beside: targets.map((file) => attempt(() => fs.writeFileSync(file + '.new', 'x'))),
        child: targets.map((file) => attempt(() => child('require("fs").appendFileSync(process.argv[1], "x")', file)) === 'done'),
        git: attempt(() => fs.writeFileSync('.git/config', 'x')),
        gitAway: attempt(() => fs.renameSync('.git', 'git')),
        policy: attempt(() => fs.rmdirSync('bulkhead.yaml')),
        policyAway: attempt(() => fs.renameSync('bulkhead.yaml', 'x')),
        tree: attempt(() => fs.renameSync('..\\\\tree', '..\\\\git\\\\tree')),
      }))`
    const said = JSON.parse((await agent(view, script)).trim().split('\n').at(-1) ?? '') as object
    const no = targets.map(() => 'EPERM')
    assert.deepEqual(said, {
      read: no,
      write: no,
      beside: no,
      child: [false, false, false],
      git: 'EPERM',
      gitAway: 'EPERM',
      policy: 'EPERM',
      policyAway: 'EPERM',
      tree: 'EPERM',
    })
    assert.equal(readFileSync(join(walls.home, 'secret.txt'), 'utf8'), 'secret')
    assert.equal(existsSync(join(other.path, 'theirs.txt.new')), false)
  })

  test('can be let into a directory of the user’s, and is out of it again afterwards', async () => {
    const view = await walls.workspace('granted', {})
    const data = join(walls.home, 'data')
    mkdirSync(join(data, 'deep'), { recursive: true })
    writeFileSync(join(data, 'deep', 'x'), 'old')
    const security = fileSecurity()
    const lists = (): readonly (string | undefined)[] =>
      [data, join(data, 'deep', 'x')].flatMap((path) => [security.read(path, 'access')?.sddl, security.read(path, 'label')?.sddl])
    const before = lists()
    const script = `${attempt} console.log(attempt(() => fs.writeFileSync(${JSON.stringify(join(data, 'deep', 'x'))}, 'new')), attempt(() => fs.writeFileSync(${JSON.stringify(join(data, 'made'))}, 'x')))`
    assert.equal((await agent(view, script)).trim(), 'EPERM EPERM')
    {
      await using enforced = await walls.enter(view, [process.execPath, '-e', script], {
        filesystem: { read: [], write: [data], deny: [] },
      })
      assert.equal((await run(enforced)).trim(), 'done done')
    }
    assert.deepEqual(lists(), before)
    assert.equal((await agent(view, script)).trim(), 'EPERM EPERM')
  })

  test('does not see what is denied', async () => {
    const view = await walls.workspace('denied', { '.env': 'T=1', 'keys/a.pem': 'k', 'open.txt': 'o' })
    const script = `${attempt} console.log(JSON.stringify(['.env', 'keys/a.pem', 'open.txt', 'absent/x'].map((name) => [attempt(() => fs.readFileSync(name, 'utf8')), attempt(() => fs.appendFileSync(name, ''))])))`
    await using enforced = await walls.enter(view, [process.execPath, '-e', script], {
      filesystem: { read: [], write: [], deny: ['.env', '*.pem', 'absent'] },
    })
    assert.deepEqual(JSON.parse(await run(enforced)), [
      ['EPERM', 'EPERM'],
      ['EPERM', 'EPERM'],
      ['o', 'done'],
      // Nothing is in there, and nothing can be made.
      ['ENOENT', 'EPERM'],
    ])
  })

  test('is ended when it keeps more than it may in its temporary files', async () => {
    const view = await walls.workspace('hoards', {})
    const script = `require('fs').writeFileSync(process.env.TEMP + '/big', Buffer.alloc(3_000_000)); setTimeout(() => {}, 20_000)`
    const denials: Denial[] = []
    const limits = { ...defaultPolicy.limits, openFiles: null, temporaryBytes: 2_000_000 }
    await using enforced = await walls.enter(view, [process.execPath, '-e', script], { limits }, (denial) => denials.push(denial))
    await run(enforced)
    assert.deepEqual((await enforced.sandbox.exited).signal, 'SIGKILL')
    assert.deepEqual(
      denials.map(({ reason }) => reason),
      ['temporary_bytes_exceeded'],
    )
  })

  test('finds nothing of a launch that is over', async () => {
    const view = await walls.workspace('over', {})
    const place = (await agent(view, 'console.log(process.env.USERPROFILE)')).trim()
    assert.ok(place.startsWith(join(homedir(), 'AppData', 'Local', 'Bulkhead', 'private')))
    assert.equal(existsSync(dirname(place)), false)
  })
})

describe('a wall that is missing is found by the attacks of the layer', () => {
  const refusedWith = async (token: LayerPlugin, name: string): Promise<string> => {
    await using others = new Walls(environment, { plugins: withToken(token) })
    const view = await others.workspace(name, {})
    try {
      await using entered = await others.enter(view, [process.execPath, '-e', ''])
      return `it started, with ${entered.evidence.length} pieces of evidence`
    } catch (error) {
      const { code, message } = BulkheadError.from(error)
      return `${code}: ${message}`
    }
  }
  const variants: readonly (readonly [string, Partial<RestrictedToken>, RegExp])[] = [
    ['a token that reads as the user does', { tier: 'write-restricted' }, /layer_unverified: .*host-files-unreadable/],
    ['a token of the user’s own integrity', { integrity: 'medium' }, /layer_unverified: .*shared-directories-unwritable/],
  ]
  for (const [name, more, message] of variants) {
    test(name, async () => {
      assert.match(await refusedWith(restrictedTokenLayer(more), name.replaceAll(/[^a-z]/g, '')), message)
    })
  }
})
