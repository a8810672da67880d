import type { Platform } from '../platform.ts'
import { binding } from './binding.ts'
import { HelperLauncher } from './launcher.ts'

export const linux: Platform = {
  harmlessCommand: ['true'],
  createLauncher: () => new HelperLauncher(),
  deleteTree: null,
  startTime: (pid) => binding().startTime(pid),
  answer: (feature) => {
    if (feature !== 'elevation') return undefined
    const ok = process.geteuid?.() === 0
    return { ok, level: 0, reason: ok ? '' : 'this process is not root' }
  },
}
