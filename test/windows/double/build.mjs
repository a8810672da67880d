/**
 * Builds the test doubles with mingw-w64 (`$MINGW_CC` or x86_64-w64-mingw32-gcc), only what changed:
 *
 *   node test/windows/double/build.mjs [output-directory]     default: build/ beside this file
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const output = resolve(process.argv[2] ?? join(here, 'build'))
const compiler = process.env.MINGW_CC ?? 'x86_64-w64-mingw32-gcc'
const dlltool = compiler.replace(/gcc$/, 'dlltool')

const warnings = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes', '-Wstrict-prototypes', '-Wvla']
const flags = ['-std=gnu11', '-D_WIN32_WINNT=0x0A00', '-DWINVER=0x0A00', '-DUNICODE', '-D_UNICODE', ...warnings, '-O2']

/** Sources that call nothing of the system; the doubles and double-check.exe share them. */
const pure = ['sid.c', 'sddl.c', 'acl.c', 'check.c'].map((name) => `kernel/${name}`)

const sources = (folder) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith('.c'))
    .map((name) => `${folder}/${name}`)

const program = (name, files, ...libraries) => ({ name, files, link: ['-municode', ...libraries] })

const targets = [
  {
    name: 'kernel-double.dll',
    files: [...sources('kernel'), 'wfp/evaluate.c', 'wfp/store.c', 'common/record.c'],
    link: ['-shared', '-lntdll', join(output, 'libwine.a'), '-ladvapi32'],
  },
  /* In system32 because that is where the product loads it from; the test bed copies what is in there into the prefix. */
  { name: 'system32/fwpuclnt.dll', files: [...sources('wfp'), 'common/record.c', ...pure], link: ['-shared', '-ladvapi32'] },
  program('double-check.exe', ['tools/check.c', 'wfp/convert.c', 'wfp/evaluate.c', ...pure], '-ladvapi32'),
  program('double-run.exe', ['tools/run.c'], '-ladvapi32'),
  ...sources('selftest').map((file) =>
    program(`${file.slice('selftest/'.length, -2)}.exe`, [file], '-ladvapi32', '-lws2_32', '-lfwpuclnt', '-lnetapi32', '-luserenv'),
  ),
]

async function run(tool, arguments_) {
  try {
    await promisify(execFile)(tool, arguments_, { cwd: here })
  } catch (error) {
    const missing = error.code === 'ENOENT'
    console.error(missing ? `test doubles: there is no "${tool}"` : error.stderr)
    if (missing) console.error('install it (Debian: gcc-mingw-w64-x86-64-win32), or set MINGW_CC')
    process.exit(3)
  }
}

/** Headers are few: a change in one compiles everything anew. */
function headersHash() {
  const hash = createHash('sha256').update(JSON.stringify([compiler, flags]))
  const headers = readdirSync(here, { recursive: true })
    .filter((name) => name.endsWith('.h'))
    .toSorted()
  for (const name of headers) hash.update(name).update(readFileSync(join(here, name)))
  return hash.digest('hex')
}

/** Where the object of a source is, named after everything it is made of. */
function objectOf(file, headers) {
  const hash = createHash('sha256')
    .update(headers)
    .update(readFileSync(join(here, file)))
    .digest('hex')
    .slice(0, 16)
  return join(output, 'objects', `${file.replaceAll('/', '-')}.${hash}.o`)
}

/** Never half of a file under its name, whoever else builds at the same time. */
async function make(path, tool, arguments_) {
  const temporary = `${path}.${process.pid}`
  await run(tool, [...arguments_, '-o', temporary])
  renameSync(temporary, path)
}

async function inParallel(tasks) {
  const queue = [...tasks]
  const worker = async () => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function build() {
  const headers = headersHash()
  const objects = new Map([...new Set(targets.flatMap(({ files }) => files))].map((file) => [file, objectOf(file, headers)]))
  mkdirSync(join(output, 'objects'), { recursive: true })
  mkdirSync(join(output, 'system32'), { recursive: true })
  const missing = [...objects].filter(([, path]) => !existsSync(path))
  await inParallel(
    missing.map(
      ([file, path]) =>
        () =>
          make(path, compiler, [...flags, '-c', file]),
    ),
  )
  /* mingw's ntdll library does not know Wine's own export. */
  if (!existsSync(join(output, 'libwine.a'))) await run(dlltool, ['-d', 'wine.def', '-l', join(output, 'libwine.a')])
  await inParallel(
    targets.map(({ name, files, link }) => async () => {
      const made = ['-static-libgcc', '-s', ...files.map((file) => objects.get(file)), ...link]
      const stamp = join(output, 'objects', `${name.replaceAll('/', '-')}.link`)
      if (existsSync(join(output, name)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === made.join('\n')) return
      await make(join(output, name), compiler, made)
      writeFileSync(stamp, made.join('\n'))
    }),
  )
}

await build()
