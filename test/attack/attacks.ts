import type { Layer } from '../../core/contracts/index.ts'

/** One way to get out. The code runs after `prelude.py`; `facts` describes the prey that the harness laid out on the host. */
export interface Attack {
  readonly id: string
  readonly layer: Layer
  readonly title: string
  readonly python: string
  /** `root`: the control can only succeed for root; as an ordinary user the kernel refuses it without Bulkhead. */
  readonly controlNeeds?: 'root'
}

const filesystem: readonly Attack[] = [
  { id: 'read-secret', layer: 'filesystem', title: 'read a secret by its path', python: `escaped(open(facts["secret"]).read())` },
  { id: 'list-host', layer: 'filesystem', title: 'list a host directory', python: `escaped(os.listdir(facts["outside"]))` },
  { id: 'stat-host', layer: 'filesystem', title: 'learn that a host file exists', python: `escaped(os.stat(facts["secret"]))` },
  {
    id: 'read-by-link',
    layer: 'filesystem',
    title: 'read a secret through a symbolic link of one’s own',
    python: `os.symlink(facts["secret"], "link"); escaped(open("link").read())`,
  },
  {
    id: 'read-by-cwd',
    layer: 'filesystem',
    title: 'enter the directory and read relatively',
    python: `os.chdir(facts["outside"]); escaped(open("secret").read())`,
  },
  {
    id: 'hardlink-secret',
    layer: 'filesystem',
    title: 'link a secret into the workspace',
    python: `os.link(facts["secret"], "hard"); escaped(open("hard").read())`,
  },
  {
    id: 'proc-root',
    layer: 'filesystem',
    title: 'read through /proc/<pid>/root of every visible process',
    python: `
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    try: escaped(open("/proc/%s/root%s" % (pid, facts["secret"])).read())
    except OSError: pass
contained("no process led there")`,
  },
  {
    id: 'create-outside',
    layer: 'filesystem',
    title: 'create a file outside',
    python: `open(facts["outside"] + "/created-by-attack", "w").close(); escaped()`,
  },
  {
    id: 'append-outside',
    layer: 'filesystem',
    title: 'append to a file outside',
    python: `open(facts["target"], "a").write("x"); escaped()`,
  },
  {
    id: 'chmod-outside',
    layer: 'filesystem',
    title: 'change the mode of a file outside',
    python: `os.chmod(facts["target"], 0o777); escaped()`,
  },
  {
    id: 'utime-outside',
    layer: 'filesystem',
    title: 'change the times of a file outside',
    python: `os.utime(facts["target"], (1, 1)); escaped()`,
  },
  {
    id: 'rename-outside',
    layer: 'filesystem',
    title: 'move a workspace file over one outside',
    python: `open("mine", "w").close(); os.rename("mine", facts["victim"]); escaped()`,
  },
  { id: 'unlink-outside', layer: 'filesystem', title: 'delete a file outside', python: `os.unlink(facts["deletable"]); escaped()` },
  {
    id: 'host-tmp',
    layer: 'filesystem',
    title: 'read another program’s file in /tmp',
    python: `escaped(open(facts["tmpFile"]).read())`,
  },
  {
    id: 'host-shm',
    layer: 'filesystem',
    title: 'read another program’s shared memory file',
    python: `escaped(open(facts["shmFile"]).read())`,
  },
  {
    id: 'unix-socket',
    layer: 'filesystem',
    title: 'connect to a host daemon’s socket by path',
    python: `s = socket.socket(socket.AF_UNIX); s.connect(facts["unixSocket"]); escaped()`,
  },
  {
    id: 'inotify-host',
    layer: 'filesystem',
    title: 'watch a host directory',
    python: `
fd = libc.inotify_init1(0)
ctypes.set_errno(0)
if libc.inotify_add_watch(fd, facts["outside"].encode(), 0xfff) < 0: raise OSError(ctypes.get_errno(), "inotify_add_watch")
escaped()`,
  },
  {
    id: 'write-system',
    layer: 'filesystem',
    title: 'plant a program in the system’s tools',
    python: `open("/usr/bin/bulkhead-attack-probe", "x").close(); os.unlink("/usr/bin/bulkhead-attack-probe"); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'read-shadow',
    layer: 'filesystem',
    title: 'read the password hashes',
    python: `escaped(len(open("/etc/shadow").read()))`,
    controlNeeds: 'root',
  },
  {
    id: 'core-pattern',
    layer: 'filesystem',
    title: 'open core_pattern for writing (code execution on the host at the next crash)',
    python: `os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'block-device',
    layer: 'filesystem',
    title: 'make a device node and open it',
    python: `os.mknod("node", 0o20666, os.makedev(1, 3)); os.open("node", os.O_RDONLY); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'handle-open',
    layer: 'filesystem',
    title: 'open files by handle, past every path check',
    python: `
buf = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128)); mid = ctypes.c_int()
syscall("name_to_handle_at", -100, b"/usr/bin", ctypes.byref(buf), ctypes.byref(mid), 0)
fd = os.open("/usr", os.O_RDONLY)
syscall("open_by_handle_at", fd, ctypes.byref(buf), 0); escaped()`,
    controlNeeds: 'root',
  },
]

const token: readonly Attack[] = [
  { id: 'signal-host', layer: 'token', title: 'signal a host process', python: `os.kill(facts["pid"], 0); escaped()` },
  {
    id: 'see-host-processes',
    layer: 'token',
    title: 'find a host process in /proc',
    python: `
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    try:
        if facts["marker"].encode() in open("/proc/%s/cmdline" % pid, "rb").read(): escaped(pid)
    except OSError: pass
contained("not visible")`,
  },
  {
    id: 'parent-environ',
    layer: 'token',
    title: 'read secrets from the environment of any visible process',
    python: `
for pid in [p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]:
    try:
        if facts["environmentSecret"].encode() in open("/proc/%s/environ" % pid, "rb").read(): escaped(pid)
    except OSError: pass
contained("in no environment")`,
  },
  {
    id: 'inherited-secret',
    layer: 'token',
    title: 'read a secret from the inherited environment',
    python: `escaped() if any(facts["environmentSecret"] == v for v in os.environ.values()) else contained("clean")`,
  },
  {
    id: 'inherited-descriptor',
    layer: 'token',
    title: 'use a descriptor that was left open',
    python: `
for fd in range(3, 64):
    try: name = os.readlink("/proc/self/fd/%d" % fd)
    except OSError: continue
    if name.startswith(facts["outside"]): escaped(name)
contained("none")`,
  },
  {
    id: 'be-root',
    layer: 'token',
    title: 'become uid 0',
    python: `os.setuid(0); open("/etc/shadow").read(); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'trace-host',
    layer: 'token',
    title: 'attach to a host process as debugger',
    python: `
syscall("ptrace", 0x4206, facts["pid"], 0, 0); escaped()`,
  },
  // The reaper of the sandbox has no system-call filter: whoever could steer it would be rid of one wall.
  {
    id: 'seize-parent',
    layer: 'token',
    title: 'take over the process that started the agent, as debugger',
    python: `syscall("ptrace", 0x4206, os.getppid(), 0, 0); escaped(os.getppid())`,
    controlNeeds: 'root',
  },
  {
    id: 'write-parent-memory',
    layer: 'token',
    title: 'take over the process that started the agent, through its memory',
    python: `os.open("/proc/%d/mem" % os.getppid(), os.O_RDWR); escaped(os.getppid())`,
    controlNeeds: 'root',
  },
  {
    id: 'read-host-memory',
    layer: 'token',
    title: 'read a host process’s memory',
    python: `open("/proc/%d/mem" % facts["pid"], "rb"); escaped()`,
  },
  {
    id: 'pidfd-host',
    layer: 'token',
    title: 'get a handle on a host process',
    python: `syscall("pidfd_open", facts["pid"], 0); escaped()`,
  },
  {
    id: 'sysv-memory',
    layer: 'token',
    title: 'attach a host program’s System V shared memory',
    python: `syscall("shmget", facts["shmKey"], 0, 0); escaped()`,
  },
  {
    id: 'hostname',
    layer: 'token',
    title: 'rename the machine',
    python: `
name = os.uname().nodename.encode(); syscall("sethostname", name, len(name)); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'raise-priority',
    layer: 'token',
    title: 'raise one’s own priority above the host’s programs',
    python: `os.nice(-5); escaped()`,
    controlNeeds: 'root',
  },
]

const network: readonly Attack[] = [
  {
    id: 'host-loopback',
    layer: 'network',
    title: 'reach a server on the host’s loopback',
    python: `s = socket.create_connection(("127.0.0.1", facts["port"]), 3); s.sendall(b"hi"); escaped() if s.recv(2) == b"ok" else contained("no answer")`,
  },
  {
    id: 'host-loopback-v6',
    layer: 'network',
    title: 'reach it through a mapped address',
    python: `s = socket.socket(socket.AF_INET6); s.settimeout(3); s.connect(("::ffff:127.0.0.1", facts["port"])); s.sendall(b"hi"); escaped() if s.recv(2) == b"ok" else contained("no answer")`,
  },
  {
    id: 'host-any-address',
    layer: 'network',
    title: 'reach it through 0.0.0.0',
    python: `s = socket.create_connection(("0.0.0.0", facts["port"]), 3); s.sendall(b"hi"); escaped() if s.recv(2) == b"ok" else contained("no answer")`,
  },
  {
    id: 'host-udp',
    layer: 'network',
    title: 'send a datagram to a server on the host',
    python: `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); s.connect(("127.0.0.1", facts["udpPort"])); s.send(b"hi")
escaped() if s.recv(2) == b"ok" else contained("no answer")`,
  },
  {
    id: 'abstract-socket',
    layer: 'network',
    title: 'connect to a host daemon’s abstract socket',
    python: `s = socket.socket(socket.AF_UNIX); s.connect("\\0" + facts["abstractSocket"]); escaped()`,
  },
  {
    id: 'interfaces',
    layer: 'network',
    title: 'find an interface besides loopback',
    python: `
names = [name for _, name in socket.if_nameindex() if name != "lo"]
escaped(names) if names else contained("loopback only")`,
  },
  {
    id: 'packet-socket',
    layer: 'network',
    title: 'sniff the network',
    python: `socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); escaped()`,
    controlNeeds: 'root',
  },
  {
    id: 'raw-socket',
    layer: 'network',
    title: 'send raw packets',
    python: `socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); escaped()`,
    controlNeeds: 'root',
  },
]

function closedCall(id: string, title: string, python: string, controlNeeds?: 'root'): Attack {
  return { id, layer: 'interception', title, python, ...(controlNeeds === undefined ? {} : { controlNeeds }) }
}

const interception: readonly Attack[] = [
  closedCall(
    'io-uring',
    'do input and output past the system call filter',
    `p = ctypes.create_string_buffer(120); syscall("io_uring_setup", 4, p); escaped()`,
  ),
  closedCall('user-namespace', 'get new capabilities in a user namespace', `syscall("unshare", 0x10000000); escaped()`),
  closedCall(
    'user-namespace-clone3',
    'the same through clone3',
    `
args = ctypes.create_string_buffer(struct.pack("11Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0))
pid = syscall("clone3", args, 88)
if pid == 0: os._exit(0)
escaped()`,
  ),
  closedCall(
    'bpf',
    'load a program into the kernel',
    `
attr = ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 1) + bytes(112)); syscall("bpf", 0, attr, 128); escaped()`,
    'root',
  ),
  closedCall('userfaultfd', 'stop the kernel in the middle of a copy', `syscall("userfaultfd", 1); escaped()`),
  closedCall(
    'keyring',
    'leave a key where other programs of the user find it',
    `
syscall("add_key", b"user", b"bulkhead-attack", b"x", 1, -2); escaped()`,
  ),
  closedCall(
    'mount',
    'mount a filesystem',
    `
syscall("unshare", 0x00020000); syscall("mount", b"none", b"/mnt", b"tmpfs", 0, None); escaped()`,
    'root',
  ),
  closedCall('open-tree', 'clone the mount tree', `syscall("open_tree", -100, b"/", 1); escaped()`, 'root'),
  closedCall('fsopen', 'open a filesystem context', `syscall("fsopen", b"tmpfs", 0); escaped()`, 'root'),
  closedCall(
    'setns',
    'enter another process’s namespaces',
    `fd = os.open("/proc/self/ns/net", os.O_RDONLY); syscall("setns", fd, 0); escaped()`,
    'root',
  ),
  closedCall('chroot', 'change the root', `syscall("chroot", b"."); escaped()`, 'root'),
  closedCall('kernel-log', 'read the kernel log', `escaped(syscall("syslog", 10, None, 0))`, 'root'),
  closedCall('fanotify', 'watch every file of a mount', `syscall("fanotify_init", 0, 0); escaped()`, 'root'),
  closedCall('vsock', 'talk to the hypervisor', `socket.socket(40, socket.SOCK_STREAM); escaped()`),
  closedCall(
    'terminal-injection',
    'type into the terminal that started us',
    `
import fcntl, pty, termios
master, slave = pty.openpty(); os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0); fcntl.ioctl(slave, termios.TIOCSTI, b"x"); escaped()`,
  ),
]

export const attacks: readonly Attack[] = [...filesystem, ...token, ...network, ...interception]
