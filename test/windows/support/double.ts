import { execFileSync } from 'node:child_process'

const script = `require('koffi').load('kernel32.dll').func('intptr_t GetModuleHandleW(str16 name)')('kernel-double.dll') === 0 ? 'no' : 'yes'`

/** Whether the kernel double is in a process that this one starts, and in one that that one starts. */
export function doubleInChildren(): readonly string[] {
  const stage = { cwd: process.env['BULKHEAD_STAGE'], encoding: 'utf8' } as const
  const grandchild = `console.log(require('child_process').execFileSync(process.execPath, ['-p', ${JSON.stringify(script)}]) + '')`
  return [
    ['-p', script],
    ['-e', grandchild],
  ].map((argv) => execFileSync(process.execPath, argv, stage).trim())
}
