import type { BuiltInEnvironments } from '../core/contracts/index.ts'

const none = { filesystem: 'fs-none', token: 'token-none', network: 'net-none', interception: 'intercept-none' }

const linux: BuiltInEnvironments = {
  usual: 'linux',
  plugins: { linux: { filesystem: 'fs-view', token: 'token-userns', network: 'net-gateway', interception: 'intercept-seccomp' }, none },
}

/**
 * `windows` needs the accounts that `bulkhead setup` makes once. `windows-unelevated` needs nothing, but the filters of its network layer have
 * no account to match: a job starts there only where the user's file has `environments: {windows-unelevated: {degrade: [network]}}`.
 */
const windows: BuiltInEnvironments = {
  usual: 'windows',
  plugins: {
    windows: { filesystem: 'fs-acl', token: 'token-account', network: 'net-wfp', interception: 'intercept-hook' },
    'windows-unelevated': { filesystem: 'fs-acl', token: 'token-restricted', network: 'net-wfp', interception: 'intercept-hook' },
    none,
  },
}

/** The environments of a system that exist without configuration. `none` enforces nothing, and is used only when asked for by name. */
export function environmentsOf(system: NodeJS.Platform): BuiltInEnvironments {
  return system === 'win32' ? windows : linux
}
