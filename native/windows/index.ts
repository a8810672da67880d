import type { Platform } from '../platform.ts'
import { binding } from './binding.ts'
import { ProcessLauncher } from './launcher.ts'

export const windows: Platform = {
  createLauncher: () => new ProcessLauncher(),
  startTime: (pid) => binding().startTime(pid),
  answer: () => undefined,
}
