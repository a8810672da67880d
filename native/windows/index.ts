import type { Platform } from '../platform.ts'
import { binding } from './binding.ts'
import { ProcessLauncher } from './launcher.ts'

export const windows: Platform = {
  harmlessCommand: ['cmd.exe', '/d', '/c', 'exit', '0'],
  createLauncher: () => new ProcessLauncher(),
  startTime: (pid) => binding().startTime(pid),
  answer: () => undefined,
}
