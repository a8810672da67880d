/**
 * Builds the test doubles with mingw-w64 (`$MINGW_CC` or x86_64-w64-mingw32-gcc), only when something changed:
 *
 *   node test/windows/double/build.mjs [output-directory]     default: build/ beside this file
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const compiler = process.env.MINGW_CC ?? 'x86_64-w64-mingw32-gcc'
const dlltool = compiler.replace(/gcc$/, 'dlltool')

const warnings = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes', '-Wstrict-prototypes', '-Wvla']
const flags = [
  '-std=gnu11',
  '-D_WIN32_WINNT=0x0A00',
  '-DWINVER=0x0A00',
  '-DUNICODE',
  '-D_UNICODE',
  ...warnings,
  '-O2',
  '-static-libgcc',
  '-s',
]

/** Sources that call nothing of the system; the doubles and double-check.exe share them. */
const pure = ['sid.c', 'sddl.c', 'acl.c', 'check.c'].map((name) => `kernel/${name}`)

const sources = (folder) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith('.c'))
    .map((name) => `${folder}/${name}`)

const program = (name, files, ...libraries) => ({ name, command: ['-municode', '-Ikernel', ...files, ...libraries] })

function targets() {
  return [
    {
      name: 'kernel-double.dll',
      command: ['-shared', ...sources('kernel'), 'wfp/evaluate.c', 'wfp/store.c', '-lntdll', 'libwine.a', '-ladvapi32'],
    },
    /* In system32 because that is where the product loads it from; the test bed copies what is in there into the prefix. */
    { name: 'system32/fwpuclnt.dll', command: ['-shared', ...sources('wfp'), 'common/record.c', ...pure, '-ladvapi32'] },
    program('double-run.exe', ['tools/run.c'], '-ladvapi32'),
    ...sources('selftest').map((file) =>
      program(`${file.slice('selftest/'.length, -2)}.exe`, [file], '-ladvapi32', '-lws2_32', '-lfwpuclnt'),
    ),
  ]
}

function allFiles() {
  return readdirSync(here, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:c|h|mjs|def)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

function run(tool, arguments_) {
  try {
    execFileSync(tool, arguments_, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (error) {
    const missing = error.code === 'ENOENT'
    console.error(`test doubles: ${missing ? `there is no "${tool}"` : `${tool} failed`}`)
    if (missing) console.error('install it (Debian: gcc-mingw-w64-x86-64-win32), or set MINGW_CC')
    process.exit(3)
  }
}

function build(output) {
  const hash = createHash('sha256').update(JSON.stringify([compiler, flags]))
  for (const file of allFiles()) hash.update(file).update(readFileSync(file))
  const wanted = hash.digest('hex')
  const stamp = join(output, 'fingerprint')
  try {
    if (readFileSync(stamp, 'utf8') === wanted) return
  } catch {
    // Never built.
  }
  mkdirSync(join(output, 'system32'), { recursive: true })
  /* mingw's ntdll library does not know Wine's own export. */
  run(dlltool, ['-d', 'wine.def', '-l', join(output, 'libwine.a')])
  for (const { name, command } of targets()) {
    const temporary = join(output, `${name}.${process.pid}`)
    run(compiler, [...flags, ...command.map((part) => (part === 'libwine.a' ? join(output, part) : part)), '-o', temporary])
    renameSync(temporary, join(output, name))
  }
  writeFileSync(stamp, wanted)
}

build(resolve(process.argv[2] ?? join(here, 'build')))
