import { attack, type Attack } from './attack.ts'

const token = attack('token')

const openProcess = (pid: string, access: string, more = 'escaped()'): string => `
    const handle = win('kernel32', 'void *OpenProcess(uint32 access, int inherit, uint32 pid)', ${access}, 0, ${pid})
    refuse(!handle); ${more}`

/** Enables a privilege: AdjustTokenPrivileges succeeds even when the token has none, and says so by ERROR_NOT_ALL_ASSIGNED (1300). */
const privilege = (name: string): string => `
    const own = openToken(win('kernel32', 'void *GetCurrentProcess()'), 0x28)
    const luid = Buffer.alloc(8)
    if (!win('advapi32', 'int LookupPrivilegeValueW(str16 system, str16 name, void *luid)', null, '${name}', luid)) throw new Error('no such privilege')
    const wanted = Buffer.alloc(16)
    wanted.writeUInt32LE(1, 0); luid.copy(wanted, 4); wanted.writeUInt32LE(2, 12)
    win('advapi32', 'int AdjustTokenPrivileges(void *token, int disable, void *wanted, uint32 length, void *previous, void *returned)', own, 0, wanted, 0, null, null)
    const error = lastError()
    if (error !== 0) throw refusal('win32 ' + error)
    escaped()`

const notAssigned = ['win32 1300', 'win32 5']

export const tokenAttacks: readonly Attack[] = [
  token('orchestrator-write', 'open the orchestrator to write its memory', openProcess('facts.orchestrator', '0x0838')),
  token('orchestrator-read', 'open the orchestrator to read its memory', openProcess('facts.orchestrator', '0x0410')),
  token('orchestrator-end', 'open the orchestrator to end it', openProcess('facts.orchestrator', '0x0001')),
  token('orchestrator-handles', 'duplicate handles of the orchestrator', openProcess('facts.orchestrator', '0x0040')),
  token('orchestrator-dacl', 'open the orchestrator to change its access list', openProcess('facts.orchestrator', '0x40000')),
  token('parent-write', 'open one’s own parent to write its memory', openProcess('process.ppid', '0x0838')),
  token('parent-handles', 'duplicate handles of one’s parent', openProcess('process.ppid', '0x0040')),
  token('bystander-read', 'read the memory of another program of the user’s', openProcess('facts.bystander', '0x0410')),
  token('bystander-inject', 'start a thread in another program', openProcess('facts.bystander', '0x0002 | 0x0008 | 0x0020')),
  token('bystander-suspend', 'suspend another program', openProcess('facts.bystander', '0x0800')),
  token(
    'bystander-end',
    'end another program',
    openProcess(
      'facts.sacrifice',
      '0x0001',
      `
    refuse(!win('kernel32', 'int TerminateProcess(void *process, uint32 code)', handle, 1)); escaped()`,
    ),
  ),
  token(
    'bystander-token',
    'take the token of another program',
    openProcess(
      'facts.bystander',
      '0x0400',
      `
    const stolen = openToken(handle, 0x0002 | 0x0001); escaped(stolen)`,
    ),
  ),
  token('bystander-kill-node', 'end another program as Node does', `process.kill(facts.sacrifice2, 'SIGKILL'); escaped()`, [
    'EPERM',
    'EACCES',
  ]),
  token('sibling-write', 'open another agent to write its memory', openProcess('facts.sibling', '0x0838')),
  token('sibling-read', 'open another agent to read its memory', openProcess('facts.sibling', '0x0410')),
  token('sibling-handles', 'duplicate handles of another agent', openProcess('facts.sibling', '0x0040')),
  token('sibling-end', 'open another agent to end it', openProcess('facts.sibling', '0x0001')),
  token('privilege-debug', 'take the privilege to debug', privilege('SeDebugPrivilege'), notAssigned),
  token('privilege-backup', 'take the privilege to read everything', privilege('SeBackupPrivilege'), notAssigned),
  token('privilege-restore', 'take the privilege to write everything', privilege('SeRestorePrivilege'), notAssigned),
  token('privilege-owner', 'take the privilege to own everything', privilege('SeTakeOwnershipPrivilege'), notAssigned),
  token('privilege-load', 'take the privilege to load drivers', privilege('SeLoadDriverPrivilege'), notAssigned),
  token('privilege-impersonate', 'take the privilege to impersonate', privilege('SeImpersonatePrivilege'), notAssigned),
  token('privilege-time', 'take the privilege to set the clock', privilege('SeSystemtimePrivilege'), notAssigned),
  token('privilege-shutdown', 'take the privilege to shut down', privilege('SeShutdownPrivilege'), notAssigned),
  token(
    'breakaway',
    'start a process outside the job',
    `
    const startup = Buffer.alloc(104); startup.writeUInt32LE(104, 0)
    const started = Buffer.alloc(24)
    refuse(!win('kernel32', 'int CreateProcessW(str16 app, void *line, void *a, void *b, int inherit, uint32 flags, void *env, str16 dir, void *si, void *pi)',
      'C:\\\\windows\\\\system32\\\\hostname.exe', null, null, null, 0, 0x01000000, null, null, startup, started))
    escaped()`,
  ),
  token(
    'inherited-handle',
    'use a handle that the host left inheritable',
    `
    const flags = Buffer.alloc(4)
    // Handles are reused numbers: only the very one that the host planted counts, and it is a file of its size.
    const size = Buffer.alloc(8)
    const got = win('kernel32', 'int GetFileSizeEx(intptr handle, void *size)', facts.leaked, size)
    if (!got) throw refusal('win32 ' + lastError())
    if (Number(size.readBigUInt64LE(0)) !== facts.leakedSize) throw refusal('win32 6')
    escaped(flags)`,
    ['win32 6', 'win32 5', 'win32 1'],
  ),
  token(
    'host-variables',
    'find a secret in the environment',
    `
    const found = Object.values(process.env).find((value) => value.includes(facts.variableSecret.slice(0, 12)))
    if (found === undefined) throw refusal('win32 5'); escaped(found)`,
  ),
]
