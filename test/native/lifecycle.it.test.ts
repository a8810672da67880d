import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LaunchSpec, Sandbox } from '../../core/contracts/index.ts'
import { createLauncher, isAlive } from '../../native/index.ts'
import type { NativeLauncher } from '../../native/index.ts'
import { hostHas, packageRoot } from '../support/host.ts'
import { bareParts, command, walls } from '../support/native-specs.ts'
import { heard, runToEnd } from '../support/native-run.ts'
import { childrenOf, factsOf, helpers, marked, until } from '../support/processes.ts'

let launcher: NativeLauncher
beforeEach(() => {
  launcher = createLauncher()
})
afterEach(() => launcher[Symbol.asyncDispose]())

const descriptors = (): number => readdirSync('/proc/self/fd').length
const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')

/** Six processes: the shell, its child, and four that left session, process group and parent behind and ignore gentle signals. */
const crowd =
  'for i in 1 2 3 4; do (setsid sh -c "trap \\"\\" TERM HUP INT; sleep 60 & wait" &) ; done; sleep 60 & sleep 0.2; echo ready; wait'

async function startCrowd(parts: Omit<LaunchSpec, 'command'>): Promise<{ sandbox: Sandbox; mark: string }> {
  const mark = randomUUID()
  const sandbox = await launcher.launch({ ...parts, command: command(['/bin/sh', '-c', crowd], { MARK: mark }) }, { kind: 'pipes' })
  const ready = heard(sandbox.stdout, 'ready')
  await sandbox.start()
  await ready
  // Control: they are there, and most of them are nobody's children any more.
  expect(marked(mark).length).toBeGreaterThanOrEqual(9)
  return { sandbox, mark }
}

const supervisorOf = (sandbox: Sandbox): number => factsOf(sandbox.process.pid)?.parent ?? 0

describe.each([
  ['no layer', () => bareParts],
  ['every layer', walls],
] as const)('%s: no process of the tree is left', (_, parts) => {
  test('when it is killed', async () => {
    const { sandbox, mark } = await startCrowd(parts())
    sandbox.kill()
    expect(await sandbox.exited).toEqual({ code: null, signal: 'SIGKILL', killedByRule: null })
    expect([marked(mark), isAlive(sandbox.process)]).toEqual([[], false])
    await sandbox[Symbol.asyncDispose]()
  })

  test('when its command ends and leaves others behind', async () => {
    const mark = randomUUID()
    const script = '(setsid sleep 60 &); sleep 60 & exit 3'
    const ran = await runToEnd(launcher, { ...parts(), command: command(['/bin/sh', '-c', script], { MARK: mark }) })
    expect([ran.code, marked(mark)]).toEqual([3, []])
  })

  test('when its supervisor is killed', async () => {
    const { sandbox, mark } = await startCrowd(parts())
    process.kill(supervisorOf(sandbox), 'SIGKILL')
    expect(await sandbox.exited).toEqual({ code: null, signal: 'SIGKILL', killedByRule: null })
    expect(await until(() => marked(mark).length === 0)).toBe(true)
    // The helper lives and serves the next one.
    expect((await runToEnd(launcher, { ...parts(), command: command(['true']) })).code).toBe(0)
    await sandbox[Symbol.asyncDispose]()
  })

  test('when the helper is killed; the next launch starts another', async () => {
    const { sandbox, mark } = await startCrowd(parts())
    const [helper = 0] = helpers().filter((pid) => childrenOf(pid).some((child) => child.pid === supervisorOf(sandbox)))
    process.kill(helper, 'SIGKILL')
    await sandbox.exited
    expect(await until(() => marked(mark).length === 0)).toBe(true)
    expect((await runToEnd(launcher, { ...parts(), command: command(['true']) })).code).toBe(0)
    await sandbox[Symbol.asyncDispose]()
  })

  test('when the launcher is closed', async () => {
    const { sandbox, mark } = await startCrowd(parts())
    await launcher[Symbol.asyncDispose]()
    expect([marked(mark), (await sandbox.exited).signal, helpers()]).toEqual([[], 'SIGKILL', []])
    await sandbox[Symbol.asyncDispose]()
  })
})

test('when the orchestrator is killed, held and running sandboxes end', async () => {
  const mark = randomUUID()
  const script = `
    import { createLauncher } from './native/index.ts'
    import { command, walls, bareParts } from './test/support/native-specs.ts'
    const launcher = createLauncher()
    for (const parts of [walls(), bareParts]) for (const start of [true, false]) {
      const sandbox = await launcher.launch({ ...parts, command: command(['/bin/sh', '-c', '(setsid sleep 60 &); sleep 60'], { MARK: '${mark}' }) }, { kind: 'inherit' })
      if (start) await sandbox.start()
    }
    setTimeout(() => { process.stdout.write('ready'); process.kill(process.pid, 'SIGKILL') }, 300)`
  const ended = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: packageRoot,
    encoding: 'utf8',
  })
  // The commands' own output is ours as well, and they say nothing.
  expect([ended.stdout, ended.signal]).toEqual(['ready', 'SIGKILL'])
  expect(await until(() => marked(mark).length === 0)).toBe(true)
})

test('200 launches in a row, every tenth failing, leave no process, descriptor or mount', async () => {
  const held = await launcher.launch({ ...walls(), command: command(['true']) }, { kind: 'pipes' })
  await held[Symbol.asyncDispose]()
  const before = { descriptors: descriptors(), mounts: mounts(), children: childrenOf(process.pid).length }
  const [helper = 0] = helpers().toReversed()
  for (let batch = 0; batch < 25; batch++) {
    const ends = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const parts = index % 2 === 0 ? walls() : bareParts
        const directory = (batch * 8 + index) % 10 === 9 ? '/no/such/directory' : '/'
        const spec = { ...parts, command: { ...command(['sh', '-c', `exit ${index}`]), directory } }
        return runToEnd(launcher, spec).then(
          ({ code }) => code,
          () => 'failed',
        )
      }),
    )
    expect(ends).toEqual(Array.from({ length: 8 }, (_, index) => ((batch * 8 + index) % 10 === 9 ? 'failed' : index)))
  }
  const after = (): object => ({ descriptors: descriptors(), mounts: mounts(), children: childrenOf(process.pid).length })
  expect(await until(() => childrenOf(helper).length === 0 && JSON.stringify(after()) === JSON.stringify(before))).toBe(true)
})

test('a sandbox shows no mount on a host whose mounts are shared, as systemd’s are', async () => {
  if (!hostHas('root')) return
  const script = `
    import { mkdtempSync, mkdirSync, chmodSync, readFileSync } from 'node:fs'
    import { createLauncher } from './native/index.ts'
    import { bareParts, command, token, view, workspace } from './test/support/native-specs.ts'
    const directory = mkdtempSync(process.argv[1] + '/shared-')
    chmodSync(directory, 0o755)
    for (const name of ['tree/.git', 'git']) mkdirSync(directory + '/' + name, { recursive: true })
    const launcher = createLauncher()
    const filesystem = view(workspace(directory + '/tree'), workspace(directory + '/git', directory + '/tree/.git'))
    const sandbox = await launcher.launch({ ...bareParts, token: token(), filesystem, command: command(['true']) }, { kind: 'pipes' })
    const count = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').filter((line) => line.includes(directory)).length
    const held = count()
    await sandbox[Symbol.asyncDispose]()
    process.stdout.write(JSON.stringify([readFileSync('/proc/self/mountinfo', 'utf8').includes('shared:'), held, count()]))
    await launcher[Symbol.asyncDispose]()`
  const place = mkdtempSync(join(tmpdir(), 'bulkhead-shared-'))
  const inner = `mount --make-rshared / && mount -t tmpfs tmpfs "$2" && exec "$0" --import tsx --input-type=module -e "$1" "$2"`
  const out = execFileSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', inner, process.execPath, script, place], {
    cwd: packageRoot,
    encoding: 'utf8',
  })
  rmdirSync(place)
  expect(JSON.parse(out)).toEqual([true, 0, 0])
})
