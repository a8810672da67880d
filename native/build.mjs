/**
 * Builds the native module with a plain C compiler.
 *
 *   node native/build.mjs                       for this machine, into native/build/<platform>-<arch>/, only when something changed
 *   node native/build.mjs --sanitize            into native/build/<platform>-<arch>-sanitized/, with ASan and UBSan, for tests
 *   node native/build.mjs --target win32-x64    for Windows, also from Linux (mingw-w64)
 *
 * The compiler is `$CC`, or cc, or mingw-w64's gcc for Windows.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({ options: { sanitize: { type: 'boolean' }, target: { type: 'string' } } })
const target = options.target ?? `${process.platform}-${process.arch}`
const [platform] = target.split('-')
const sanitize = options.sanitize === true
const output = join(here, 'build', `${target}${sanitize ? '-sanitized' : ''}`)

const warnings = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes', '-Wstrict-prototypes', '-Wvla', '-Wformat=2']
const common = ['-std=gnu11', '-g1', ...warnings, '-fno-strict-aliasing', '-fno-delete-null-pointer-checks', '-Iinclude', '-Isrc/common']

/** C files of a folder of `src/`, all levels, relative to `native/`. */
function codeIn(folder) {
  const at = join(here, 'src', folder)
  if (!existsSync(at)) return []
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.c'))
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
    .toSorted()
}

/** The helper, one static executable, and the library that Node loads. */
function linux() {
  const libraryOnly = ['src/linux/library.c']
  const shared = ['src/common/wire.c', 'src/linux/channel.c', 'src/linux/process.c']
  const hardening = sanitize
    ? ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
    : ['-O2', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2']
  const flags = [...common, '-D_GNU_SOURCE', '-Isrc/linux', ...hardening]
  const link = ['-Wl,-z,relro,-z,now,-z,noexecstack']
  const helper = [...codeIn('common'), ...codeIn('linux')].filter((path) => !libraryOnly.includes(path))
  return {
    compiler: process.env.CC ?? 'cc',
    remedy: 'install gcc or clang with the C library’s headers (Debian: gcc libc6-dev), or set CC',
    products: [
      { name: 'bulkhead-helper', command: [...flags, ...(sanitize ? [] : ['-static', ...link]), ...helper] },
      { name: 'libbulkhead.so', command: [...flags, '-fPIC', '-shared', '-fvisibility=hidden', ...link, ...shared, ...libraryOnly] },
    ],
  }
}

/**
 * The library that Node loads, the launcher, and the DLL that hooks. What lies directly in `src/windows/` is shared by the first two; the
 * hook takes from it what needs no C library, because it has none.
 */
function windows() {
  // Windows 10 1809: the first with pseudo-consoles.
  const windows10 = ['-D_WIN32_WINNT=0x0A00', '-DWINVER=0x0A00', '-DNTDDI_VERSION=0x0A000006', '-DUNICODE', '-D_UNICODE']
  const hardening = ['-O2', '-static-libgcc', '-s', '-Wl,--dynamicbase,--high-entropy-va,--nxcompat']
  const flags = [...common, ...windows10, '-Isrc/windows', ...hardening]
  const shared = [
    ...codeIn('common'),
    ...readdirSync(join(here, 'src/windows'))
      .filter((name) => name.endsWith('.c'))
      .toSorted()
      .map((name) => `src/windows/${name}`),
  ]
  const libraries = ['-ladvapi32', '-luserenv', '-lnetapi32', '-lcrypt32', '-lbcrypt', '-lws2_32', '-lrpcrt4', '-lntdll']
  const product = (name, folder, extra) => ({
    name,
    command: [...flags, ...extra, ...shared, ...codeIn(`windows/${folder}`), ...libraries],
  })
  // The hook runs before the C library of its process: it has none.
  const alone = ['-shared', '-nostdlib', '-fno-builtin', '-fno-tree-loop-distribute-patterns', '-mcmodel=small', '-Wl,--entry,DllMain']
  const own = ['fold', 'hook-frame', 'hook-policy', 'inject', 'text16']
  return {
    compiler: process.env.CC ?? (process.platform === 'win32' ? 'gcc' : 'x86_64-w64-mingw32-gcc'),
    remedy: 'install mingw-w64 (Debian: gcc-mingw-w64-x86-64-win32; Windows: MSYS2), or set CC',
    products: [
      product('bulkhead.dll', 'library', ['-shared']),
      product('bulkhead-launcher.exe', 'launcher', ['-municode']),
      {
        name: 'bulkhead-hook.dll',
        command: [
          ...flags,
          ...alone,
          ...own.map((name) => `src/windows/${name}.c`),
          ...codeIn('windows/hook'),
          '-lkernel32',
          '-lntdll',
          '-lgcc',
        ],
      },
    ],
  }
}

function fingerprint(commands) {
  const hash = createHash('sha256').update(JSON.stringify(commands))
  for (const folder of ['include', 'src']) {
    const files = readdirSync(join(here, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
      hash.update(path.slice(here.length)).update(readFileSync(path))
    }
  }
  return hash.digest('hex')
}

function run(compiler, remedy, arguments_) {
  try {
    execFileSync(compiler, arguments_, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (error) {
    const missing = error.code === 'ENOENT'
    const reason = missing ? `there is no C compiler "${compiler}"` : `${compiler} failed`
    console.error(`native module: ${reason}; ${missing ? remedy : 'see its output above'}`)
    process.exit(3)
  }
}

function build() {
  const recipe = { linux, win32: windows }[platform]
  if (recipe === undefined) {
    console.error(`native module: there is none for ${target}; Bulkhead runs on linux and win32`)
    process.exit(3)
  }
  const { compiler, remedy, products } = recipe()
  const stamp = join(output, 'fingerprint')
  const wanted = fingerprint([compiler, products])
  try {
    if (readFileSync(stamp, 'utf8') === wanted) return
  } catch {
    // Never built.
  }
  mkdirSync(output, { recursive: true })
  for (const { name, command } of products) {
    const temporary = join(output, `.${name}.${process.pid}`)
    run(compiler, remedy, [...command, '-o', temporary])
    renameSync(temporary, join(output, name))
  }
  writeFileSync(stamp, wanted)
}

build()
