import type { FeatureAnswer } from '../../core/contracts/index.ts'
import type { Platform } from '../platform.ts'
import { agentPool, poolDirectory } from './agent-pool.ts'
import { binding } from './binding.ts'
import { ProcessLauncher } from './launcher.ts'
import { fileSecurity } from './security.ts'

export const windows: Platform = {
  harmlessCommand: ['cmd.exe', '/d', '/c', 'exit', '0'],
  createLauncher: () => new ProcessLauncher(),
  deleteTree,
  startTime: (pid) => binding().startTime(pid),
  answer: (feature) => (feature === 'agent-accounts' ? agentAccounts() : undefined),
}

/** The path as it is spelled on the disk: what `FileSecurity.deleteTree` asks for. */
function deleteTree(directory: string): void {
  const security = fileSecurity()
  security.deleteTree(security.finalPath(directory) ?? directory)
}

/** Level: how many agents can run at once, each under an account of its own. */
function agentAccounts(): FeatureAnswer {
  const pool = agentPool(poolDirectory())
  const usable = pool.filter(({ fault }) => fault === null)
  const [broken] = pool.filter(({ fault }) => fault !== null)
  const reason = broken === undefined ? 'no agent accounts were set up by this user' : `${broken.name}: ${broken.fault}`
  return { ok: usable.length > 0, level: usable.length, reason: usable.length > 0 ? '' : reason }
}
