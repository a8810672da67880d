import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Tools } from './fetch.ts'
import { windowsPath } from './places.ts'

/** Debian's `wine` is a script that prints advice about the 32-bit half; this is what it starts. */
const loader = '/usr/lib/wine/wine64'

/**
 * Debian's loader is linked at 0x7d000000 and comes without Wine's preloader, so that the kernel puts its heap anywhere in the gigabyte above,
 * and about once in 4,000 starts to where Windows' shared user data must be (0x7ffe0000): the program then ends before it began, and whoever
 * starts it gets ERROR_INTERNAL_ERROR. Without randomization (personality(2), inherited by everything below) the heap follows the loader.
 */
const steady = ['setarch', '--addr-no-randomize'] as const

/** False where a container forbids that: programs then fail to start now and then. */
export const steadyStarts = spawnSync(steady[0], [steady[1], 'true']).status === 0

/** What starts a Windows program: a program of this machine and its arguments. */
export function wine(...argv: readonly string[]): [program: string, argv: string[]] {
  return steadyStarts ? [steady[0], [steady[1], loader, ...argv]] : [loader, [...argv]]
}

export const wineserver = '/usr/lib/wine/wineserver64'

/** Everything that a program in `prefix` gets from outside. Nothing of the caller's environment: a case must not depend on it. */
export function wineEnvironment(prefix: string, tools?: Tools): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: join(prefix, 'home'),
    LC_ALL: 'C.UTF-8',
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    WINELOADER: loader,
    WINESERVER: wineserver,
    // Without a display; without menus, Mono and Gecko, which would ask to be downloaded.
    DISPLAY: '',
    WINEDLLOVERRIDES: 'winemenubuilder.exe=d;mscoree,mshtml=d',
    ...(tools && { WINEPATH: [tools.git, tools.node].map(windowsPath).join(';') }),
  }
}

/** Processes of a prefix, found by the environment they were started with. */
export function processesOf(prefix: string): number[] {
  const wanted = `WINEPREFIX=${prefix}`
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return environmentOf(pid).split('\0').includes(wanted)
      } catch {
        // Ended meanwhile, or somebody else's.
        return false
      }
    })
}

/** Of a process whose first thread has ended (proc(5): it is a zombie then), by another of its threads. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    const other = readdirSync(`/proc/${pid}/task`).find((task) => task !== String(pid))
    return other === undefined ? '' : readFileSync(`/proc/${pid}/task/${other}/environ`, 'utf8')
  }
}

/** Programs in a prefix that are not Wine's own, by process id. */
export function programsOf(prefix: string): ReadonlyMap<number, string> {
  const programs = processesOf(prefix).map((pid): [number, string] => {
    try {
      return [pid, readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '']
    } catch {
      return [pid, '']
    }
  })
  // Empty: it has ended, and nobody has asked for its exit code yet.
  return new Map(programs.filter(([, program]) => program !== '' && program !== wineserver && !/^c:\\windows\\/i.test(program)))
}

/** Ends every process of a prefix, also what a crashed wineserver left behind. Synchronous: it runs at exit too. */
export function killPrefix(prefix: string): void {
  for (let round = 0; round < 50; round++) {
    const left = processesOf(prefix).filter((pid) => pid !== process.pid)
    if (left.length === 0) return
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Ended meanwhile.
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }
}
