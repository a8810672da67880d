import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import koffi from 'koffi'

// Runs a program in its own console, as a terminal does, and says how many keys were left in it for whoever comes next. Arguments: `console` or `nothing`, what it has for input; program and
// its arguments. To be started with `windowsHide` and nothing inherited: it has a console then. (One of AllocConsole cannot be read in Wine.)
const kernel32 = koffi.load('kernel32.dll')
const open = kernel32.func(
  'void *CreateFileW(str16 name, uint32 access, uint32 share, void *security, uint32 creation, uint32 flags, void *template)',
)
const input: unknown = open('CONIN$', 0xc0000000, 3, null, 3, 0, null)
const [kind, program = '', ...argv] = process.argv.slice(2)
const child = spawn(program, argv, {
  stdio: [kind === 'console' ? openSync(String.raw`\\.\CONIN$`, 'r+') : 'ignore', 'inherit', 'inherit'],
})
child.once('exit', () => {
  const count = new Uint32Array(1)
  if (kernel32.func('bool GetNumberOfConsoleInputEvents(void *console, _Out_ uint32 *count)')(input, count) !== true)
    throw new Error('not counted')
  process.stdout.write(`typed ${count[0]}\n`)
})
