import { describe, expect, test } from 'vitest'
import { chooseToolchains } from '../../../plugins/fs-view/toolchains.ts'
import type { ProgramDirectory, Toolchains } from '../../../plugins/fs-view/toolchains.ts'

const home = '/home/u'
const workspace = '/home/u/src/project'
const kept = [home, '/home/u/.local/state/bulkhead', '/home/u/.config/bulkhead', workspace]

const at = (path: string, around: readonly string[] = [], real = path): ProgramDirectory => ({ path, real, around })

function choose(programs: readonly ProgramDirectory[], managed: readonly string[] = []): Toolchains {
  return chooseToolchains({ programs, managed }, { home, workspace, kept })
}

test('a usual PATH', () => {
  const programs = [
    at('/home/u/.nvm/versions/node/v20/bin', ['bin', 'lib', 'share']),
    at('/home/u/.cargo/bin', ['bin', 'env', 'credentials.toml']),
    at('/home/u/.pyenv/shims', ['shims', 'versions']),
    at('/home/u/.pyenv/bin', ['shims', 'versions']),
    at('/home/u/.local/bin', ['bin', 'share', 'state']),
    at('/usr/local/bin'),
    at('/bin', [], '/usr/bin'),
    at(`${workspace}/node_modules/.bin`),
    at('/opt/go/bin', ['bin', 'src']),
  ]
  expect(choose(programs, ['/home/u/.rustup', '/home/u/.pyenv'])).toEqual({
    shown: ['/home/u/.cargo/bin', '/home/u/.local/bin', '/home/u/.nvm/versions/node/v20', '/home/u/.pyenv', '/home/u/.rustup', '/opt/go'],
    path: [
      '/home/u/.nvm/versions/node/v20/bin',
      '/home/u/.cargo/bin',
      '/home/u/.pyenv/shims',
      '/home/u/.pyenv/bin',
      '/home/u/.local/bin',
      '/usr/local/bin',
      '/bin',
      `${workspace}/node_modules/.bin`,
      '/opt/go/bin',
    ],
    variables: { PYENV_ROOT: '/home/u/.pyenv', RUSTUP_HOME: '/home/u/.rustup' },
  })
})

describe('never shown as a whole', () => {
  test.each<[string, ProgramDirectory, readonly string[]]>([
    ['the home directory', at('/home/u/bin', ['bin', '.ssh']), ['/home/u/bin']],
    ['a directory above the home directory', at('/home/bin', ['u', 'bin']), ['/home/bin']],
    ['a directory above the workspace', at('/home/u/src/bin', ['bin', 'project']), ['/home/u/src/bin']],
    ['a directory with credentials', at('/srv/tool/bin', ['bin', '.env']), ['/srv/tool/bin']],
    ['credentials in another case', at('/srv/tool/bin', ['bin', '.SSH']), ['/srv/tool/bin']],
    ['a directory right below the root', at('/data/bin', ['bin', 'customers']), ['/data/bin']],
    ['anything inside credentials', at('/home/u/.config/tool/bin'), []],
    ['a directory that is not one of programs', at('/home/u/src', ['src', 'secret']), []],
    ['a directory of project scripts', at('/home/u/other/node_modules/.bin'), []],
    ['a root for programs', at('/bin', [], '/secret/bin'), ['/secret/bin']],
  ])('%s', (_name, program, shown) => {
    expect(choose([program]).shown).toEqual(shown)
    expect(choose([program]).path).toEqual(shown.length === 0 ? [] : [program.real])
  })
})

test('a link on PATH stands for what it leads to', () => {
  const program = at('/run/user/1000/fnm/bin', ['bin', 'lib'], '/home/u/.local/share/fnm/node-versions/v20/installation/bin')
  expect(choose([program])).toEqual({
    shown: ['/home/u/.local/share/fnm/node-versions/v20/installation'],
    path: ['/home/u/.local/share/fnm/node-versions/v20/installation/bin'],
    variables: {},
  })
})

test('rustup data is shown only with its programs', () => {
  expect(choose([at('/opt/go/bin')], ['/home/u/.rustup'])).toEqual({ shown: ['/opt/go'], path: ['/opt/go/bin'], variables: {} })
})
