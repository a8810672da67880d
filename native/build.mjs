/**
 * Builds the native module with a plain C compiler (`$CC` or cc): the helper, one static executable, and the library that Node loads.
 *
 *   node native/build.mjs              into native/build/<platform>-<arch>/, only when something changed
 *   node native/build.mjs --sanitize   into native/build/<platform>-<arch>-sanitized/, with ASan and UBSan, for tests
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const sanitize = process.argv.includes('--sanitize')
const compiler = process.env.CC ?? 'cc'
const output = join(here, 'build', `${process.platform}-${process.arch}${sanitize ? '-sanitized' : ''}`)

/** What only the library has, and what both have. */
const libraryOnly = ['src/linux/library.c']
const shared = ['src/common/wire.c', 'src/linux/process.c']

const warnings = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes', '-Wstrict-prototypes', '-Wvla', '-Wformat=2']
const hardening = ['-O2', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-fno-strict-aliasing', '-fno-delete-null-pointer-checks']
const sanitizers = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
const common = ['-std=gnu11', '-D_GNU_SOURCE', '-g1', ...warnings, '-Iinclude', '-Isrc/common', '-Isrc/linux']

function sources() {
  const found = readdirSync(join(here, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
  return found.filter((path) => path.startsWith('src/common/') || path.startsWith(`src/${process.platform}/`)).toSorted()
}

function fingerprint(files, commands) {
  const hash = createHash('sha256').update(JSON.stringify(commands))
  for (const file of [...files, 'include/bulkhead.h']) hash.update(file).update(readFileSync(join(here, file)))
  return hash.digest('hex')
}

function run(arguments_) {
  try {
    execFileSync(compiler, arguments_, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (error) {
    const missing = error.code === 'ENOENT'
    const reason = missing ? `there is no C compiler "${compiler}"` : `${compiler} failed`
    const remedy = missing ? 'install gcc or clang with the C library’s headers (Debian: gcc libc6-dev), or set CC' : 'see its output above'
    console.error(`native module: ${reason}; ${remedy}`)
    process.exit(3)
  }
}

function build() {
  if (process.platform !== 'linux') {
    console.error(`native module: nothing to build for ${process.platform} yet`)
    return
  }
  const files = sources()
  const code = files.filter((path) => path.endsWith('.c'))
  const temporary = (name) => join(output, `.${name}.${process.pid}`)
  const flags = sanitize ? [...common, ...sanitizers] : [...common, ...hardening]
  const link = sanitize ? [] : ['-static', '-Wl,-z,relro,-z,now,-z,noexecstack']
  const commands = [
    { name: 'bulkhead-helper', command: [...flags, ...link, ...code.filter((path) => !libraryOnly.includes(path))] },
    {
      name: 'libbulkhead.so',
      command: [...flags, '-fPIC', '-shared', '-fvisibility=hidden', '-Wl,-z,relro,-z,now,-z,noexecstack', ...shared, ...libraryOnly],
    },
  ]
  const stamp = join(output, 'fingerprint')
  const wanted = fingerprint(files, [compiler, commands])
  try {
    if (readFileSync(stamp, 'utf8') === wanted) return
  } catch {
    // Never built.
  }
  mkdirSync(output, { recursive: true })
  for (const { name, command } of commands) {
    run([...command, '-o', temporary(name)])
    renameSync(temporary(name), join(output, name))
  }
  writeFileSync(stamp, wanted)
}

build()
