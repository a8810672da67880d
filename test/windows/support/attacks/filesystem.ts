import { attack, type Attack } from './attack.ts'

const fs = attack('filesystem')

/** `host(name)` is a file of the user's outside; `mine(name)` lies in the workspace. */
const outside: readonly Attack[] = [
  fs('read-secret', 'read a secret by its path', `escaped(fs.readFileSync(host('secret'), 'utf8'))`),
  fs('list-outside', 'list a directory of the user’s', `escaped(fs.readdirSync(facts.outside))`),
  fs('create-outside', 'create a file outside', `fs.writeFileSync(host('created'), 'x', { flag: 'wx' }); escaped()`),
  fs('append-outside', 'append to a file outside', `fs.appendFileSync(host('target'), 'x'); escaped()`),
  fs('truncate-outside', 'truncate a file outside', `fs.truncateSync(host('target')); escaped()`),
  fs('delete-outside', 'delete a file outside', `fs.unlinkSync(host('deletable')); escaped()`),
  fs(
    'delete-on-close',
    'delete a file outside by closing it',
    `
    const handle = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      host('on-close'), 0x10000, 7, null, 3, 0x04000000, null)
    refuse(isInvalid(handle)); close(handle)
    if (!fs.existsSync(host('on-close'))) escaped()`,
  ),
  fs('mkdir-outside', 'make a directory outside', `fs.mkdirSync(host('made')); escaped()`),
  fs('rmdir-outside', 'remove a directory outside', `fs.rmdirSync(host('empty')); escaped()`),
  fs('copy-out', 'copy a file out', `fs.writeFileSync(mine('load'), 'x'); fs.copyFileSync(mine('load'), host('copied')); escaped()`),
  fs(
    'move-out',
    'move a workspace file over one outside',
    `fs.writeFileSync(mine('load'), 'x'); fs.renameSync(mine('load'), host('victim')); escaped()`,
  ),
  fs(
    'move-in',
    'move a secret into the workspace',
    `fs.renameSync(host('movable'), mine('moved')); escaped(fs.readFileSync(mine('moved'), 'utf8'))`,
  ),
  fs(
    'link-in',
    'hard-link a secret into the workspace',
    `fs.linkSync(host('secret'), mine('linked')); escaped(fs.readFileSync(mine('linked'), 'utf8'))`,
  ),
  fs(
    'link-out',
    'hard-link a workspace file to a place outside',
    `fs.writeFileSync(mine('load2'), 'x'); fs.linkSync(mine('load2'), host('linked')); escaped()`,
  ),
  fs('utimes-outside', 'change the times of a file outside', `fs.utimesSync(host('target'), 1, 1); escaped()`),
  fs(
    'attributes-outside',
    'change the attributes of a file outside',
    `
    refuse(!win('kernel32', 'int SetFileAttributesW(str16 path, uint32 attributes)', host('target'), 0x1)); escaped()`,
  ),
  fs(
    'replace-file',
    'replace a file outside (ReplaceFile)',
    `
    fs.writeFileSync(mine('load3'), 'x')
    refuse(!win('kernel32', 'int ReplaceFileW(str16 to, str16 from, str16 backup, uint32 flags, void *a, void *b)', host('victim2'), mine('load3'), null, 0, null, null))
    escaped()`,
  ),
  fs(
    'map-outside',
    'write to a file outside through a mapping',
    `
    const file = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      host('target'), 0xC0000000, 7, null, 3, 0, null)
    refuse(isInvalid(file))
    const mapping = win('kernel32', 'void *CreateFileMappingW(void *file, void *sa, uint32 protect, uint32 high, uint32 low, str16 name)', file, null, 4, 0, 16, null)
    refuse(!mapping); escaped()`,
  ),
  fs(
    'backup-semantics',
    'read with the backup flag',
    `
    const handle = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      host('secret'), 0x80000000, 7, null, 3, 0x02000000, null)
    refuse(isInvalid(handle)); escaped()`,
  ),
]

/** Other spellings of the same object. */
const spellings: readonly Attack[] = [
  fs('long-prefix', String.raw`read by a \\?\ path`, `escaped(fs.readFileSync('\\\\\\\\?\\\\' + host('secret'), 'utf8'))`),
  fs('device-prefix', String.raw`read by a \\.\ path`, `escaped(fs.readFileSync('\\\\\\\\.\\\\' + host('secret'), 'utf8'))`),
  fs('climb', 'read relatively, climbing', `escaped(fs.readFileSync(path.relative(process.cwd(), host('secret')), 'utf8'))`),
  fs('upper-case', 'read in another case', `escaped(fs.readFileSync(host('secret').toUpperCase(), 'utf8'))`),
  fs('slashes', 'read with forward slashes', `escaped(fs.readFileSync(host('secret').replaceAll('\\\\', '/'), 'utf8'))`),
  fs(
    'chdir',
    'enter the directory and read relatively',
    `process.chdir(facts.outside); try { escaped(fs.readFileSync('secret', 'utf8')) } finally { process.chdir(facts.workspace) }`,
  ),
  fs(
    'native-path',
    'read by NtCreateFile',
    `
    const status = ntOpen(host('secret'), 0x80100000)
    if (status !== 0) throw refusal('nt 0x' + status.toString(16)); escaped()`,
  ),
  fs(
    'native-write',
    'write by NtCreateFile',
    `
    const status = ntOpen(host('target'), 0x40100000)
    if (status !== 0) throw refusal('nt 0x' + status.toString(16)); escaped()`,
  ),
]

const processes: readonly Attack[] = [
  fs(
    'by-child',
    'let cmd write outside',
    `
    cp.execFileSync('cmd.exe', ['/d', '/c', 'copy', '/y', mine('seed'), host('by-child')], { stdio: 'ignore' })
    if (fs.existsSync(host('by-child'))) escaped()`,
    ['exit 1'],
  ),
  fs(
    'by-node-child',
    'let a child read the secret',
    `
    escaped(cp.execFileSync(process.execPath, ['-e', 'process.stdout.write(require("fs").readFileSync(process.argv[1]))', host('secret')], { stdio: ['ignore', 'pipe', 'ignore'] }))`,
    ['exit 1'],
  ),
  fs(
    'by-grandchild',
    'let a grandchild write outside',
    `
    const inner = 'require("child_process").execFileSync(process.execPath, ["-e", "require(\\'fs\\').writeFileSync(process.argv[1], \\'x\\')", process.argv[1]], { stdio: "ignore" })'
    cp.execFileSync(process.execPath, ['-e', inner, host('by-grandchild')], { stdio: 'ignore' }); escaped()`,
    ['exit 1'],
  ),
]

/** What belongs to Bulkhead, beside and in the workspace. */
const protectedNames: readonly Attack[] = [
  fs('git-config', 'plant a git configuration', `fs.writeFileSync(mine('.git\\\\config'), 'x'); escaped()`),
  fs('git-case', 'plant one in another case', `fs.writeFileSync(mine('.GIT\\\\config'), 'x'); escaped()`),
  fs(
    'git-move',
    'move .git away',
    `fs.renameSync(mine('.git'), mine('git-away')); fs.renameSync(mine('git-away'), mine('.git')); escaped()`,
  ),
  fs('policy-create', 'create a policy file', `fs.writeFileSync(mine('bulkhead.yaml'), 'x'); escaped()`),
  fs('policy-case', 'create one in another case', `fs.writeFileSync(mine('BULKHEAD.yaml'), 'x'); escaped()`),
  fs('policy-delete', 'delete the policy file', `fs.unlinkSync(mine('bulkhead.yaml')); escaped()`),
  fs(
    'policy-over',
    'move a file over the policy file',
    `fs.writeFileSync(mine('load4'), 'x'); fs.renameSync(mine('load4'), mine('bulkhead.yaml')); escaped()`,
  ),
  fs('other-read', 'read another agent’s workspace', `escaped(fs.readFileSync(path.join(facts.other, 'theirs'), 'utf8'))`),
  fs('other-write', 'write into another agent’s workspace', `fs.writeFileSync(path.join(facts.other, 'planted'), 'x'); escaped()`),
  fs('beside', 'create a file beside the tree', `fs.writeFileSync(path.join(facts.workspace, '..', 'beside'), 'x'); escaped()`),
  fs('record', 'change the workspace’s record', `fs.writeFileSync(path.join(facts.workspace, '..', 'workspace.json'), '{}'); escaped()`),
  fs(
    'quarantine',
    'write into the quarantine',
    `fs.writeFileSync(path.join(facts.workspace, '..', 'quarantine.git', 'config'), 'x'); escaped()`,
  ),
  fs('journal', 'read Bulkhead’s state', `escaped(fs.readFileSync(path.join(facts.state, 'journal.db'), 'utf8'))`),
  fs(
    'move-tree',
    'move the whole workspace',
    `process.chdir('C:\\\\windows'); fs.renameSync(facts.workspace, path.join(facts.workspace, '..', 'elsewhere')); fs.renameSync(path.join(facts.workspace, '..', 'elsewhere'), facts.workspace); escaped()`,
    ['EPERM', 'EACCES'],
  ),
  fs(
    'own-dacl',
    'open one’s own file to everybody',
    `
    fs.writeFileSync(mine('own'), 'x')
    const handle = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      mine('own'), 0x40000, 7, null, 3, 0, null)
    refuse(isInvalid(handle)); escaped()`,
  ),
  fs(
    'own-owner',
    'take ownership of one’s own file',
    `
    fs.writeFileSync(mine('own2'), 'x')
    const handle = win('kernel32', 'void *CreateFileW(str16 path, uint32 access, uint32 share, void *sa, uint32 how, uint32 flags, void *t)',
      mine('own2'), 0x80000, 7, null, 3, 0, null)
    refuse(isInvalid(handle)); escaped()`,
  ),
  fs(
    'git-replace',
    'put a directory in the place of .git',
    `
    fs.rmSync(mine('.git'), { recursive: true }); fs.mkdirSync(mine('fake')); fs.renameSync(mine('fake'), mine('.git')); escaped()`,
  ),
  // Last of those that touch it: the control is left without.
  fs('git-remove', 'remove .git', `fs.rmSync(mine('.git'), { recursive: true }); escaped()`),
]

const system: readonly Attack[] = [
  fs(
    'drive-root',
    'create a directory in the root of the drive',
    `fs.mkdirSync('C:\\\\bulkhead-attack'); fs.rmdirSync('C:\\\\bulkhead-attack'); escaped()`,
  ),
  fs('windows-directory', 'plant a file in Windows', `plant('C:\\\\windows\\\\bulkhead-attack.dll')`),
  fs('system32', 'plant a DLL in system32', `plant('C:\\\\windows\\\\system32\\\\bulkhead-attack.dll')`),
  fs('program-files', 'plant a file in Program Files', `plant('C:\\\\Program Files\\\\bulkhead-attack.dll')`),
  fs(
    'startup',
    'plant a program that starts with the session',
    `
    fs.mkdirSync(path.join(facts.profile, 'startup'), { recursive: true }); plant(path.join(facts.profile, 'startup', 'attack.cmd'))`,
  ),
  fs(
    'tool-directory',
    'plant a program where the user’s tools are',
    `plant(path.join(path.dirname(process.execPath), 'bulkhead-attack.dll'))`,
  ),
]

export const filesystemAttacks: readonly Attack[] = [...outside, ...spellings, ...processes, ...protectedNames, ...system]
