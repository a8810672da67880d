/**
 * Builds the C programs of the cases with mingw-w64 (`$MINGW_CC` or x86_64-w64-mingw32-gcc), only those that changed:
 *
 *   node test/windows/native/build.mjs [output-directory]     default: build/ beside this file
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const compiler = process.env.MINGW_CC ?? 'x86_64-w64-mingw32-gcc'
const output = resolve(process.argv[2] ?? join(here, 'build'))
const windows = join(here, '..', '..', '..', 'native', 'src', 'windows')

const flags = ['-std=gnu11', '-D_WIN32_WINNT=0x0A00', '-DWINVER=0x0A00', '-DUNICODE', '-D_UNICODE', '-Wall', '-Wextra', '-Werror']
const all = [...flags, '-Wno-missing-field-initializers', '-O2', '-static-libgcc', '-s', '-I', windows]

/** What the launcher has of the hook, for the runner; agents have nothing of it. */
const product = [
  'fold.c',
  'hook-frame.c',
  'hook-policy.c',
  'inject.c',
  'text16.c',
  ...['events.c', 'hook-attempt.c', 'hook-feature.c', 'hook-policy-build.c'].map((name) => `launcher/${name}`),
].map((name) => join(windows, name))

/** The pipes between the launcher and its runner. */
const pipes = ['fault.c', 'text.c', 'launcher/runner-pipes.c'].map((name) => join(windows, name))

const programs = {
  'hook-runner.exe': ['-municode', 'hook-runner.c', ...product, '-lws2_32', '-ladvapi32', '-lntdll'],
  'runner-pipes.exe': ['-municode', 'runner-pipes.c', ...pipes, '-ladvapi32'],
  'handles.exe': ['-municode', 'handles.c'],
  'hook-agent.exe': ['-municode', 'hook-agent.c', '-lws2_32', '-ladvapi32', '-lntdll'],
  'hook-impostor.dll': ['-shared', 'hook-impostor.c'],
}

/** Headers are few: a change in one compiles everything anew. */
function fingerprint(parts) {
  const hash = createHash('sha256').update(JSON.stringify([compiler, all, parts.map((part) => relative(windows, part))]))
  const headers = [here, windows].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.h'))
      .toSorted()
      .map((name) => join(folder, name)),
  )
  const sources = parts.filter((part) => part.endsWith('.c')).map((part) => resolve(here, part))
  for (const path of [...headers, ...sources]) hash.update(readFileSync(path))
  return hash.digest('hex')
}

mkdirSync(output, { recursive: true })
for (const [name, parts] of Object.entries(programs)) {
  const [path, stamp] = [join(output, name), join(output, `.${name}.fingerprint`)]
  const wanted = fingerprint(parts)
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue
  // Never half of a file under its name, whoever else builds at the same time.
  const temporary = `${path}.${process.pid}`
  execFileSync(compiler, [...all, '-o', temporary, ...parts], { cwd: here, stdio: 'inherit' })
  renameSync(temporary, path)
  writeFileSync(stamp, wanted)
}
