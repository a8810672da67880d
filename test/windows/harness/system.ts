import { run } from './programs.ts'

/** Debian packages: Wine without its 32-bit half, and the cross compiler. */
const packages = ['wine64', 'wine', 'gcc-mingw-w64-x86-64-win32']

/** Installs what is missing where that is possible; throws one clear line where it is not. */
export async function installSystem(say: (line: string) => void): Promise<void> {
  const missing: string[] = []
  for (const name of packages) if (!(await installed(name))) missing.push(name)
  if (missing.length === 0) return
  const able = process.getuid?.() === 0 && (await run('apt-get', ['--version']).then(Boolean, () => false))
  if (!able) throw new Error(`install these packages first: ${missing.join(' ')}`)
  say(`installing ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], { env })
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env })
}

/** By package where there is dpkg, by program elsewhere. */
async function installed(name: string): Promise<boolean> {
  try {
    return (await run('dpkg-query', ['-W', '-f=${Status}', name])).includes('install ok installed')
  } catch {
    const program = name.startsWith('gcc') ? 'x86_64-w64-mingw32-gcc' : name
    return run(program, ['--version']).then(Boolean, () => false)
  }
}
