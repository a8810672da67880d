import type { Mutation } from './mutation.ts'

const runner = 'native/src/windows/launcher/runner.c'
const pipes = 'native/src/windows/launcher/runner-pipes.c'
const lease = 'plugins/token-account/lease.ts'
const names = 'plugins/token-account/names.ts'
const logon = 'recording/account-logon'
const running = 'kernel/account-runner'
const leases = 'kernel/account-leases'
const impostors = 'real/account-pipes'

/** The steps that give an agent an account of its own: the logon, the runner under it, the lease. */
export const accountMutations: readonly Mutation[] = [
  {
    id: 'account-in-the-token',
    file: 'plugins/token-account/plugin.ts',
    from: 'tokenPart(data, lease.account)',
    to: 'tokenPart(data, null)',
    cases: 'kernel/account-token',
  },
  {
    id: 'account-runner-sealed',
    file: runner,
    from: 'if (result == 0) result = seal(process->hProcess, fault);',
    to: '(void)seal;',
    cases: logon,
  },
  { id: 'account-logon-sealed', file: runner, from: 'if (result == 0) result = bh_seal(fault);', to: '', cases: running },
  {
    id: 'account-runner-in-a-job',
    file: runner,
    from: 'AssignProcessToJobObject(job, process->hProcess) ? 0',
    to: 'job ? 0',
    cases: logon,
  },
  { id: 'account-job-ends', file: runner, from: 'JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB', to: 'JOB', cases: logon },
  {
    id: 'account-sweep-before',
    file: runner,
    from: 'uint32_t error = sweep(arguments[2], true);',
    to: 'uint32_t error = 0;',
    cases: running,
  },
  { id: 'account-sweep-after', file: runner, from: 'if (is_runner) (void)sweep(NULL, false);', to: '', cases: running },
  {
    id: 'account-sweep-of-whom',
    file: runner,
    from: 'if (!error && wanted && !EqualSid(wanted, facts.user.User.Sid)) error',
    to: 'if (!error && wanted && !IsValidSid(wanted)) error',
    cases: running,
  },
  {
    id: 'account-profile-emptied',
    file: runner,
    from: 'if (!error && profile) error = bh_account_profile_empty(token);',
    to: '(void)profile;',
    cases: running,
  },
  {
    id: 'account-pipe-list',
    file: pipes,
    from: 'L"D:P(A;;0x%lx;;;%ls)"',
    to: 'L"D:P(A;;0x%lx;;;%ls)(A;;GA;;;WD)"',
    cases: 'kernel/account-pipes',
  },
  {
    id: 'account-pipe-client',
    file: pipes,
    from: 'if (client == GetProcessId(process)) return 0;',
    to: 'if (client != 0) return 0;',
    cases: impostors,
  },
  {
    id: 'account-pipe-server',
    file: pipes,
    from: 'if (!error && found != server)',
    to: 'if (!error && found != server && server == 0)',
    cases: impostors,
  },
  {
    id: 'account-lease-lock',
    file: lease,
    from: 'const lock = pool.lock(leaseFile(secretFile))\n      if (lock === undefined) continue',
    to: 'const lock = pool.lock(leaseFile(secretFile)) ?? { [Symbol.dispose]: () => undefined }',
    cases: leases,
  },
  {
    id: 'account-lease-receipt',
    file: lease,
    from: 'await record({ plugin: pluginId, data: account })',
    to: 'void [record, pluginId]',
    cases: leases,
  },
  {
    id: 'account-lease-given-back',
    file: lease,
    from: 'async () => lock[Symbol.dispose]() }',
    to: 'async () => undefined }',
    cases: leases,
  },
  { id: 'account-recovery-clears', file: lease, from: 'await pool.sweep(account)', to: 'void account', cases: leases },
  {
    id: 'account-recovery-of-whom',
    file: lease,
    from: 'if (known?.sid !== account.sid) return',
    to: 'if (known === undefined) return',
    cases: leases,
  },
  {
    id: 'account-passwords-closed',
    file: names,
    from: "['SY', 'BA', owner]",
    to: "['SY', 'BA', owner, 'BU']",
    cases: 'kernel/account-token',
  },
  { id: 'account-passwords-label', file: names, from: 'S:(ML;${flags};NRNWNX;;;ME)', to: '', cases: 'real/account-secrets' },
  { id: 'account-kinds-of-logon', file: names, from: "  'SeDenyNetworkLogonRight',\n", to: '', cases: 'recording/account-setup' },
]
