/**
 * Builds the native module with a plain C compiler.
 *
 *   node native/build.mjs                       for this machine, into native/build/<platform>-<arch>/, only when something changed
 *   node native/build.mjs --sanitize            into native/build/<platform>-<arch>-sanitized/, with ASan and UBSan, for tests
 *   node native/build.mjs --target win32-x64    for Windows, also from Linux (mingw-w64)
 *
 * The compiler is `$CC`, or cc, or mingw-w64's gcc for Windows. BULKHEAD_NATIVE_OBJECTS=<folder> keeps what was compiled there, so that the
 * next build compiles only what changed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
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
      { name: 'bulkhead-helper', flags, sources: helper, link: sanitize ? [] : ['-static', ...link] },
      {
        name: 'libbulkhead.so',
        flags: [...flags, '-fPIC', '-fvisibility=hidden'],
        sources: [...shared, ...libraryOnly],
        link: ['-shared', ...link],
      },
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
  const flags = [...common, ...windows10, '-Isrc/windows', '-O2']
  const hardening = ['-static-libgcc', '-s', '-Wl,--dynamicbase,--high-entropy-va,--nxcompat']
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
    flags,
    sources: [...shared, ...codeIn(`windows/${folder}`)],
    link: [...hardening, extra, ...libraries],
  })
  // The hook runs before the C library of its process: it has none.
  const alone = ['-fno-builtin', '-fno-tree-loop-distribute-patterns', '-mcmodel=small']
  const own = ['fold', 'hook-frame', 'hook-policy', 'inject', 'text16']
  return {
    compiler: process.env.CC ?? (process.platform === 'win32' ? 'gcc' : 'x86_64-w64-mingw32-gcc'),
    remedy: 'install mingw-w64 (Debian: gcc-mingw-w64-x86-64-win32; Windows: MSYS2), or set CC',
    products: [
      product('bulkhead.dll', 'library', '-shared'),
      product('bulkhead-launcher.exe', 'launcher', '-municode'),
      {
        name: 'bulkhead-hook.dll',
        flags: [...flags, ...alone],
        sources: [...own.map((name) => `src/windows/${name}.c`), ...codeIn('windows/hook')],
        link: [...hardening, '-shared', '-nostdlib', '-Wl,--entry,DllMain', '-lkernel32', '-lntdll', '-lgcc'],
      },
    ],
  }
}

/** Of what is said and of all files below some folders whose name ends so. */
function fingerprint(said, folders, ending) {
  const hash = createHash('sha256').update(JSON.stringify(said))
  for (const folder of folders) {
    const files = readdirSync(join(here, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
      if (path.endsWith(ending)) hash.update(path.slice(here.length)).update(readFileSync(path))
    }
  }
  return hash.digest('hex')
}

async function run({ compiler, remedy }, arguments_) {
  const child = spawn(compiler, arguments_, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] })
  const fault = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.code === 'ENOENT' ? `there is no C compiler "${compiler}"; ${remedy}` : error.message))
    child.on('close', (code) => resolve(code === 0 ? undefined : `${compiler} failed; see its output above`))
  })
  if (fault !== undefined) throw new Error(fault)
}

/** Never half of a file under its name. */
async function make(recipe, path, arguments_) {
  const temporary = `${path}.${process.pid}`
  await run(recipe, [...arguments_, '-o', temporary])
  renameSync(temporary, path)
}

/** Compiles every source of a product once, as many at a time as there are processors. Returns the objects. */
async function compile(recipe, { flags, sources }, folder) {
  // Headers are few: a change in one compiles everything anew.
  const headers = fingerprint([recipe.compiler, flags], ['include', 'src'], '.h')
  const objects = sources.map((source) => {
    const content = createHash('sha256')
      .update(headers)
      .update(source)
      .update(readFileSync(join(here, source)))
    return { source, path: join(folder, `${content.digest('hex').slice(0, 32)}.o`) }
  })
  const queue = objects.filter(({ path }) => !existsSync(path))
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await make(recipe, next.path, [...flags, '-c', next.source])
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return objects.map(({ path }) => path)
}

async function build() {
  const recipeOf = { linux, win32: windows }[platform]
  if (recipeOf === undefined) throw new Error(`there is none for ${target}; Bulkhead runs on linux and win32`)
  const recipe = recipeOf()
  const stamp = join(output, 'fingerprint')
  const wanted = fingerprint([recipe.compiler, recipe.products], ['include', 'src'], '')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  mkdirSync(output, { recursive: true })
  const kept = process.env.BULKHEAD_NATIVE_OBJECTS
  const objects = kept ?? mkdtempSync(join(output, '.objects-'))
  mkdirSync(objects, { recursive: true })
  try {
    for (const product of recipe.products) {
      const compiled = await compile(recipe, product, objects)
      await make(recipe, join(output, product.name), [...product.flags, ...compiled, ...product.link])
    }
  } finally {
    if (kept === undefined) rmSync(objects, { recursive: true, force: true })
  }
  writeFileSync(stamp, wanted)
}

try {
  await build()
} catch (error) {
  console.error(`native module: ${error.message}`)
  process.exitCode = 3
}
