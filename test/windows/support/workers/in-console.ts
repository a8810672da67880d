import { spawn } from 'node:child_process'
import koffi from 'koffi'

// Runs a program in a console of its own, as a terminal does, and sends Ctrl-C to it when something comes on standard input. (Another
// process's console cannot be reached in Wine: AttachConsole fails.) Arguments: program and its arguments.
const kernel32 = koffi.load('kernel32.dll')
const call = (declaration: string, ...values: unknown[]): void => {
  if (kernel32.func(declaration)(...values) === true) return
  throw new Error(`${declaration}: error ${kernel32.func('uint32_t GetLastError()')()}`)
}
kernel32.func('bool FreeConsole()')()
call('bool AllocConsole()')
const [program = '', ...argv] = process.argv.slice(2)
const child = spawn(program, argv, { stdio: ['ignore', 'inherit', 'inherit'] })
process.stdin.once('data', () => {
  // Not for us: NULL and TRUE make this process ignore it.
  call('bool SetConsoleCtrlHandler(void *handler, bool add)', null, true)
  call('bool GenerateConsoleCtrlEvent(uint32_t event, uint32_t group)', 0, 0)
})
child.once('exit', (code) => process.exit(code ?? 255))
