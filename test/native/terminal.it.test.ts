import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hostHas, packageRoot } from '../support/host.ts'

interface Seen {
  readonly raw: boolean
  readonly restored: boolean
  readonly text: string
}

type Action = 'type' | 'interrupt' | 'resize' | 'kill-node' | 'kill-helper' | 'kill-supervisor'

function onTerminal(parts: 'bareParts' | 'walls()', command: string, action: Action): Seen {
  const script = `
    import { readFileSync } from 'node:fs'
    import { createLauncher } from './native/index.ts'
    import { bareParts, shell, walls } from './test/support/native-specs.ts'
    const parent = (pid) => { const text = readFileSync('/proc/' + pid + '/stat', 'utf8'); return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) }
    const launcher = createLauncher()
    const sandbox = await launcher.launch({ ...${parts}, command: shell(${JSON.stringify(command)}) }, { kind: 'terminal', columns: 80, rows: 24 })
    process.on('SIGWINCH', () => sandbox.resize(process.stdout.columns, process.stdout.rows))
    void process.stdout.columns
    const supervisor = parent(sandbox.process.pid)
    await sandbox.start()
    process.stdout.write('READY ' + process.pid + ' ' + parent(supervisor) + ' ' + supervisor + ';')
    const { code, signal } = await sandbox.exited
    process.stdout.write(' end ' + code + ' ' + signal + ' DONE')
    await launcher[Symbol.asyncDispose]()`
  const driver = join(packageRoot, 'test/native/terminal.py')
  return JSON.parse(
    execFileSync('/usr/bin/python3', [driver, process.execPath, script, action], { cwd: packageRoot, encoding: 'utf8' }),
  ) as Seen
}

describe.runIf(hostHas('python3') && hostHas('tty')).each(['bareParts', 'walls()'] as const)('a terminal, %s', (parts) => {
  test('carries what is typed and shown; the command has it as its own', () => {
    const seen = onTerminal(parts, 'test -t 0 && test -t 1 && test -t 2 && tty; stty size; read x; echo "got $x"', 'type')
    expect(seen).toMatchObject({ raw: true, restored: true })
    // The terminal's own echo of what was typed may stand between any two lines.
    expect(seen.text).toMatch(/\/dev\/pts\/\d+\r\n/)
    expect(seen.text).toMatch(/^24 80\r\n/m)
    expect(seen.text).toMatch(/got hello\r\n/)
    expect(seen.text).toContain('end 0 null DONE')
  })

  test('Ctrl-C interrupts the command and nothing else', () => {
    const seen = onTerminal(parts, 'exec sleep 20', 'interrupt')
    expect(seen).toMatchObject({ raw: true, restored: true })
    expect(seen.text).toContain('end null SIGINT DONE')
  })

  test('a new size reaches the command', () => {
    const seen = onTerminal(parts, 'trap "stty size; exit 5" WINCH; echo trap is set; while :; do sleep 0.05; done', 'resize')
    expect(seen.text).toContain('33 101')
    expect(seen.text).toContain('end 5 null DONE')
  })

  test.each(['kill-node', 'kill-helper', 'kill-supervisor'] as const)('is as it was before: %s', (action) => {
    expect(onTerminal(parts, 'exec sleep 20', action)).toMatchObject({ raw: true, restored: true })
  })
})

test('an input that has ended costs no processor time', () => {
  const script = `
    import { readFileSync } from 'node:fs'
    import { createLauncher } from './native/index.ts'
    import { bareParts, command } from './test/support/native-specs.ts'
    const fields = (pid) => { const text = readFileSync('/proc/' + pid + '/stat', 'utf8'); return text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number) }
    const launcher = createLauncher()
    const sandbox = await launcher.launch({ ...bareParts, command: command(['sleep', '20']) }, { kind: 'terminal', columns: 80, rows: 24 })
    const supervisor = fields(sandbox.process.pid)[1]
    await sandbox.start()
    await new Promise((resolve) => setTimeout(resolve, 400))
    process.stdout.write(String(fields(supervisor)[11] + fields(supervisor)[12]))
    sandbox.kill()
    await sandbox.exited
    await launcher[Symbol.asyncDispose]()`
  const ticks = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: packageRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  expect(Number(ticks)).toBeLessThan(5)
})
