import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemConfiguration } from '../../../plugins/fs-view/constants.ts'
import { lookAtSystem } from '../../../plugins/fs-view/system-facts.ts'
import { lookAtToolchains, toolchainFacts } from '../../../plugins/fs-view/toolchain-facts.ts'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-facts-')))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function make(...files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(base, file)), { recursive: true })
    writeFileSync(join(base, file), '')
  }
}

test('a system with merged /usr: links stay links, and of /etc only what is listed', () => {
  make('usr/bin/env', 'usr/lib/os-release', 'etc/shadow', 'etc/gshadow', 'etc/ssh/key', 'etc/sudoers', 'etc/npmrc', 'etc/services')
  make('etc/ssl/certs/ca', 'etc/ssl/private/key', 'etc/java-17-openjdk/x', 'etc/python3.11/x', 'opt/profile')
  symlinkSync('usr/bin', join(base, 'bin'))
  symlinkSync('../usr/lib/os-release', join(base, 'etc/os-release'))
  symlinkSync('../opt/profile', join(base, 'etc/profile'))
  symlinkSync('nowhere', join(base, 'etc/rpc'))
  expect(lookAtSystem(base)).toEqual({
    directories: [
      { path: '/usr', link: null, source: '/usr' },
      { path: '/bin', link: 'usr/bin', source: '/usr/bin' },
    ],
    configuration: [
      { path: '/etc/java-17-openjdk', link: null, source: '/etc/java-17-openjdk' },
      { path: '/etc/os-release', link: '../usr/lib/os-release', source: '/usr/lib/os-release' },
      { path: '/etc/profile', link: null, source: '/opt/profile' },
      { path: '/etc/python3.11', link: null, source: '/etc/python3.11' },
      { path: '/etc/services', link: null, source: '/etc/services' },
      { path: '/etc/ssl/certs', link: null, source: '/etc/ssl/certs' },
    ],
  })
})

test('a system without merged /usr: directories are shown themselves', () => {
  make('usr/bin/env', 'bin/sh', 'lib/libc.so')
  expect(lookAtSystem(base).directories).toEqual(['/usr', '/bin', '/lib'].map((path) => ({ path, link: null, source: path })))
})

test('nothing that holds credentials can match a name of /etc that is shown', () => {
  const never = ['shadow', 'gshadow', 'passwd-', 'sudoers', 'ssh', 'machine-id', 'npmrc', 'pip.conf', 'gitconfig', 'environment', 'wgetrc']
  never.push(
    'ssl',
    'ssl/private',
    'pki',
    'krb5.keytab',
    'fstab',
    'crypttab',
    'apt',
    'NetworkManager',
    'wpa_supplicant',
    'postgresql',
    'maven',
  )
  expect(never.filter(isShownInEtc)).toEqual([])
})

function isShownInEtc(name: string): boolean {
  return systemConfiguration.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
}

test('what PATH leads to', () => {
  make('home/.nvm/v20/bin/node', 'home/.nvm/v20/lib/x', 'home/.cargo/bin/cargo', 'home/.rustup/settings.toml', 'run/x')
  symlinkSync(join(base, 'home/.nvm/v20/bin'), join(base, 'run/current'))
  const [current, cargo] = [join(base, 'run/current'), join(base, 'home/.cargo/bin')]
  expect(lookAtToolchains([current, cargo, current, 'relative', '', join(base, 'missing')]).facts).toEqual({
    programs: [
      { path: current, real: join(base, 'home/.nvm/v20/bin'), around: ['bin', 'lib'] },
      { path: cargo, real: cargo, around: ['bin'] },
    ],
    managed: [join(base, 'home/.rustup')],
  })
})

test('credentials that appear in a toolchain while Bulkhead runs are noticed', () => {
  make('tool/bin/x')
  utimesSync(join(base, 'tool'), 1, 1)
  const around = (): readonly string[] | undefined =>
    toolchainFacts(join(base, 'tool/bin'), '/usr/bin/node').programs.find(({ path }) => path.startsWith(base))?.around
  expect(around()).toEqual(['bin'])
  make('tool/credentials.toml')
  expect(around()).toEqual(['bin', 'credentials.toml'])
})
