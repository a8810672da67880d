import type { Platform } from '../platform.ts'
import { binding } from './binding.ts'
import { HelperLauncher } from './launcher.ts'

export const linux: Platform = {
  createLauncher: () => new HelperLauncher(),
  startTime: (pid) => binding().startTime(pid),
}
