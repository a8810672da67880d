import type { InterceptionRule } from '../../../../core/contracts/index.ts'
import { attack, type Attack } from './attack.ts'

const rule = attack('interception')

/** Against the rules of `attackRules`. */
export const interceptionAttacks: readonly Attack[] = [
  rule('write', 'write to a file that a rule guards', `fs.writeFileSync(mine('guarded\\\\file'), 'x'); escaped()`),
  rule('create', 'create a file where a rule guards', `fs.writeFileSync(mine('guarded\\\\new'), 'x'); escaped()`),
  rule('delete', 'delete a file that a rule guards', `fs.unlinkSync(mine('guarded\\\\file')); escaped()`),
  rule(
    'delete-by-handle',
    'delete it through a handle',
    `
    const handle = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      mine('guarded\\\\handle'), 0x10000, 7, null, 3, 0, null)
    refuse(isInvalid(handle))
    refuse(!win('kernel32', 'int SetFileInformationByHandle(void *file, int kind, void *info, uint32 size)', handle, 4, Buffer.from([1]), 1))
    close(handle); escaped()`,
  ),
  rule('rename-from', 'move it away', `fs.renameSync(mine('guarded\\\\away'), mine('taken')); escaped()`),
  rule(
    'rename-onto',
    'move something over it',
    `fs.writeFileSync(mine('load5'), 'x'); fs.renameSync(mine('load5'), mine('guarded\\\\file')); escaped()`,
  ),
  rule(
    'link-onto',
    'make a link there',
    `fs.writeFileSync(mine('load6'), 'x'); fs.linkSync(mine('load6'), mine('guarded\\\\link')); escaped()`,
  ),
  rule('write-case', 'write to it in another case', `fs.writeFileSync(mine('GUARDED\\\\FILE'), 'x'); escaped()`),
  rule(
    'write-prefix',
    String.raw`write to it by a \\?\ path`,
    `fs.writeFileSync('\\\\\\\\?\\\\' + mine('guarded\\\\file'), 'x'); escaped()`,
  ),
  rule(
    'write-dots',
    'write to it through dots',
    `fs.writeFileSync(facts.workspace + '\\\\guarded\\\\..\\\\guarded\\\\.\\\\file', 'x'); escaped()`,
  ),
  rule(
    'write-native',
    'write to it by NtCreateFile',
    `
    const status = ntOpen(mine('guarded\\\\file'), 0x40100000)
    if (status !== 0) throw refusal('nt 0x' + status.toString(16)); escaped()`,
  ),
  rule(
    'exec',
    'run a program that a rule forbids',
    `cp.execFileSync('C:\\\\windows\\\\system32\\\\whoami.exe', { stdio: 'ignore' }); escaped()`,
  ),
  rule(
    'exec-by-cmd',
    'let cmd run it',
    `cp.execFileSync('cmd.exe', ['/d', '/c', 'C:\\\\windows\\\\system32\\\\whoami.exe'], { stdio: 'ignore' }); escaped()`,
    ['exit 1', 'exit 5', 'exit 9009'],
  ),
  rule(
    'child-writes',
    'let a grandchild write to the guarded file',
    `
    const inner = 'require("child_process").execFileSync(process.execPath, ["-e", "require(\\'fs\\').writeFileSync(process.argv[1], \\'x\\')", process.argv[1]], { stdio: "ignore" })'
    cp.execFileSync(process.execPath, ['-e', inner, mine('guarded\\\\file')], { stdio: 'ignore' }); escaped()`,
    ['exit 1'],
  ),
  rule(
    'registry-write',
    'write to the registry',
    `
    const key = registryKey(0xF003F)
    const status = win('advapi32', 'long RegSetValueExW(void *key, str16 name, uint32 reserved, uint32 type, void *data, uint32 size)', key, 'planted', 0, 4, Buffer.alloc(4), 4)
    if (status !== 0) throw refusal('win32 ' + status); escaped()`,
  ),
  rule(
    'registry-delete',
    'delete from the registry',
    `
    const key = registryKey(0xF003F)
    const status = win('advapi32', 'long RegDeleteValueW(void *key, str16 name)', key, 'prey')
    if (status !== 0) throw refusal('win32 ' + status); escaped()`,
  ),
  rule(
    'service-create',
    'create a service',
    `
    const manager = win('advapi32', 'void *OpenSCManagerW(str16 machine, str16 database, uint32 access)', null, null, 2)
    refuse(!manager)
    const service = win('advapi32', 'void *CreateServiceW(void *m, str16 name, str16 display, uint32 access, uint32 type, uint32 start, uint32 error, str16 path, str16 g, void *t, str16 d, str16 a, str16 p)',
      manager, 'bulkhead-attack', 'bulkhead-attack', 0xF01FF, 0x10, 3, 0, 'C:\\\\windows\\\\system32\\\\hostname.exe', null, null, null, null, null)
    refuse(!service)
    win('advapi32', 'int DeleteService(void *service)', service); escaped()`,
  ),
  rule(
    'inspect',
    'open another process to read it',
    `
    const handle = win('kernel32', 'void *OpenProcess(uint32 access, int inherit, uint32 pid)', 0x0410, 0, facts.ownChild)
    refuse(!handle); escaped()`,
  ),
]

/** Rules that make each of them a denial. */
export const attackRules: readonly InterceptionRule[] = [
  { on: 'file.write', match: './guarded/**', action: 'deny' },
  { on: 'file.delete', match: './guarded/**', action: 'deny' },
  { on: 'file.rename', match: './guarded/**', action: 'deny' },
  { on: 'process.exec', match: String.raw`C:\windows\system32\whoami.exe`, action: 'deny' },
  { on: 'registry.write', match: '**', action: 'deny' },
  { on: 'registry.delete', match: '**', action: 'deny' },
  { on: 'service.control', match: '**', action: 'deny' },
  { on: 'process.inspect', match: '**', action: 'deny' },
]
