export { createHost } from './host.ts'
export { createLauncher } from './launcher.ts'
export type { NativeLauncher } from './launcher.ts'
export { isAlive, processIdentity } from './process.ts'
