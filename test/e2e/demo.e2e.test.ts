import { spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { identities, processesWith } from '../support/desk.ts'
import { packageRoot } from '../support/host.ts'

describe.each(identities)('the demo as $name', ({ uid, gid, prefix }) => {
  const place = (): string => {
    const directory = mkdtempSync('/var/tmp/bulkhead-demo-test-')
    chownSync(directory, uid, gid)
    return directory
  }
  const command = (directory: string): [string, string[]] => {
    const [program, ...args] = [...prefix, process.execPath, join(packageRoot, 'dist/demo/main.js'), '--directory', directory]
    return [program, args]
  }
  const environment = (directory: string): NodeJS.ProcessEnv => {
    // The checkout may belong to somebody else than the user of the demo; git takes this from a user's own file only.
    writeFileSync(join(directory, '.gitconfig'), '[safe]\n\tdirectory = *\n')
    return { PATH: process.env['PATH'], HOME: directory }
  }

  test('every claim that it makes holds', () => {
    const directory = place()
    const [program, args] = command(directory)
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: environment(directory), timeout: 170_000 })
    rmSync(directory, { recursive: true, force: true })
    expect(`${status} ${stderr}`).toMatch(/^0 /)
    expect(stdout).not.toMatch(/^ {2}NO/m)
    expect(stdout.match(/^ {2}yes/gm)?.length).toBe(10)
  })

  test.each([
    ['while agents work', ': running'],
    ['while approved work lands', ': candidate '],
  ])('killed %s and started again, it loses nothing and lands everything once', async (_, moment) => {
    const directory = place()
    const [program, args] = command(directory)
    const first = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(directory), detached: true })
    let output = ''
    first.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    first.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    for (let waited = 0; !output.includes(moment) && waited < 1200; waited++) await sleep(50)
    expect(output).toContain(moment)
    // The whole group: the demo and the orchestrator it drives, all at once, with no chance to tidy up.
    process.kill(-(first.pid ?? 0), 'SIGKILL')
    await new Promise((resolve) => first.once('close', resolve))
    for (let waited = 0; processesWith(directory).length > 0 && waited < 100; waited++) await sleep(20)
    expect(processesWith(directory)).toEqual([])

    const second = spawnSync(program, args, { encoding: 'utf8', env: environment(directory), timeout: 170_000 })
    rmSync(directory, { recursive: true, force: true })
    expect(`${second.status} ${second.stderr}\n${second.stdout}`).toMatch(/^0 /)
    expect(second.stdout.match(/^ {2}yes/gm)?.length).toBe(10)
  })
})
