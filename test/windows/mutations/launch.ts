import type { Mutation } from './mutation.ts'

const windows = 'native/src/windows'
const token = `${windows}/launcher/token.c`
const job = `${windows}/launcher/job.c`
const spawn = `${windows}/launcher/spawn.c`
const walls = `${windows}/launcher/walls.c`
const seal = `${windows}/seal.c`
const real = 'real/launcher-token'
const kernel = 'kernel/launcher-token'
const attacks = 'kernel/attacks-unelevated'
const calls = 'recording/launcher-token'

/** The steps of the token, of the job, of starting a process, and of guarding who starts it. */
export const launchMutations: readonly Mutation[] = [
  {
    id: 'token-restricting-sids',
    file: token,
    from: 'r.deleted_count, r.deleted, r.restricting_count,',
    to: 'r.deleted_count, r.deleted, 0,',
    cases: kernel,
  },
  {
    id: 'token-checks-reads-too',
    file: token,
    from: '(spec->tier == BH_TIER_WRITE_RESTRICTED ? WRITE_RESTRICTED : 0)',
    to: 'WRITE_RESTRICTED',
    cases: 'kernel/fs-acl-agent',
  },
  { id: 'token-powerful-groups', file: token, from: 'r.disabled_count, r.disabled,', to: '0, NULL,', cases: real },
  {
    id: 'token-privileges',
    file: token,
    from: 'const DWORD flags = DISABLE_MAX_PRIVILEGE | ',
    to: 'r.deleted_count = 0;\n  const DWORD flags = ',
    cases: real,
  },
  {
    id: 'token-integrity',
    file: token,
    from: 'if (result == 0) result = lower_integrity(made, spec->integrity, fault);',
    to: '(void)lower_integrity;',
    cases: kernel,
  },
  {
    id: 'token-default-list',
    file: token,
    from: 'if (result == 0) result = set_default_list(made, spec, fault);',
    to: '(void)set_default_list;',
    cases: real,
  },
  { id: 'token-is-worn', file: spawn, from: 'if (walls->token) {', to: 'if (walls->token && walls->directory == NULL) {', cases: real },
  {
    id: 'job-is-entered',
    file: spawn,
    from: 'if (!UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &a->job, sizeof(a->job), NULL, NULL)) {',
    to: 'if (!a->job) {',
    cases: calls,
  },
  {
    id: 'job-ends-with-its-last-handle',
    file: job,
    from: 'JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE',
    to: 'JOB_OBJECT_LIMIT_DIE',
    cases: calls,
  },
  {
    id: 'job-no-breakaway',
    file: job,
    from: 'JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE',
    to: 'JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE',
    cases: real,
  },
  {
    id: 'job-number-of-processes',
    file: job,
    from: 'limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;',
    to: '',
    cases: calls,
  },
  { id: 'job-memory', file: job, from: 'limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;', to: '', cases: calls },
  { id: 'job-processor-time', file: job, from: 'if (!spec->limits_cpu) return 0;', to: 'if (spec) return 0;', cases: real },
  {
    id: 'job-windows',
    file: job,
    from: 'if (result == 0 && windows) result = set_windows(made, fault);',
    to: '(void)windows, (void)set_windows;',
    cases: calls,
  },
  {
    id: 'spawn-listed-handles',
    file: spawn,
    from: 'if (!UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, a->handles, bytes, NULL, NULL)) {',
    to: 'if (bytes == 0) {',
    cases: attacks,
  },
  {
    id: 'spawn-desktop',
    file: walls,
    from: 'if (!spec->private_desktop) {',
    to: 'if (!spec->private_desktop || !walls->token) {',
    cases: real,
  },
  {
    id: 'launcher-sealed',
    file: walls,
    from: '(bh_seal_objects(fault) < 0 || bh_seal(fault) < 0)',
    to: 'bh_seal_objects(fault) < 0',
    cases: real,
  },
  {
    id: 'launcher-sealed-process',
    file: seal,
    from: 'if (protect(GetCurrentProcess(), PROCESS_LIST, user, "sealing the process", fault) < 0) return -1;',
    to: '',
    cases: real,
  },
  {
    id: 'launcher-sealed-token',
    file: seal,
    from: 'return protect(token, TOKEN_LIST, user, "sealing the token", fault);',
    to: 'return token ? 0 : -1;',
    cases: 'recording/account-logon',
  },
  {
    id: 'launcher-sealed-thread',
    file: seal,
    from: 'if (protect(GetCurrentThread(), THREAD_LIST, user, "sealing the thread", fault) < 0) return -1;',
    to: '',
    cases: calls,
  },
  {
    id: 'launcher-sealed-objects',
    file: seal,
    from: 'return set_default(token, user, fault);',
    to: 'return token ? 0 : set_default(token, user, fault);',
    cases: calls,
  },
  {
    id: 'orchestrator-sealed',
    file: 'native/windows/launcher.ts',
    from: 'native.seal()',
    to: 'void native.seal',
    cases: real,
  },
  {
    id: 'launcher-beside-its-program',
    file: 'native/windows/launcher.ts',
    from: 'spawn(launcherPath(), [], { cwd, ',
    to: 'spawn(launcherPath(), [], { cwd: cwd && undefined, ',
    cases: 'recording/launcher-token',
  },
  // Node has such a job too, of which nothing is promised: only the records show that ours is missing.
  {
    id: 'launcher-ends-with-the-orchestrator',
    file: `${windows}/library/process.c`,
    from: 'const DWORD error = AssignProcessToJobObject(job, process) ? 0 : GetLastError();',
    to: 'const DWORD error = job ? 0 : GetLastError();',
    cases: 'recording/account-logon',
  },
  {
    id: 'streams-console-of-its-own',
    file: `${windows}/launcher/streams.c`,
    from: 'if (spec->stdio == BH_STDIO_INHERIT && open_console(',
    to: 'if (spec->stdio > BH_STDIO_TERMINAL && open_console(',
    cases: 'real/launcher-streams',
  },
  {
    id: 'streams-no-console-of-the-user',
    file: `${windows}/launcher/streams.c`,
    from: 'if (bh_is_console(ends->streams[i])) {',
    to: 'if (bh_is_console(ends->streams[i]) && spec->stdio == BH_STDIO_TERMINAL) {',
    cases: 'real/launcher-streams',
  },
  {
    id: 'job-windows-given-up-only-on-a-desktop-of-its-own',
    file: `${windows}/launcher/walls.c`,
    from: '!spec->has_token || !spec->private_desktop ||',
    to: '!spec->has_token ||',
    cases: 'recording/launcher-token',
  },
  {
    id: 'streams-sender-closed',
    file: `${windows}/launcher/interrupt.c`,
    from: 'D:P(A;;GA;;;SY)(A;;RC;;;OW)',
    to: 'D:P(A;;GA;;;WD)',
    cases: 'recording/launcher-token',
  },
]
