import type { Claim } from '../../core/contracts/index.ts'

/** Attempts of `op: 'syscall'` and the errno that the filter, and only the filter, answers with. */
export interface ClosedCalls extends Claim {
  readonly expected: Readonly<Record<string, string>>
}

/**
 * Arguments are such that a kernel without the filter answers otherwise wherever it looks at them before it looks at privileges, so that
 * the evidence speaks of this layer and not of another (`native/src/linux/intercept/attempt.c`).
 */
export const closedCalls: readonly ClosedCalls[] = [
  {
    id: 'namespaces-closed',
    text: 'No namespace can be made or entered.',
    expected: { 'clone3-newuser': 'ENOSYS', 'clone-newuser': 'EPERM', 'unshare-user': 'EPERM', 'unshare-mount': 'EPERM', setns: 'EPERM' },
  },
  {
    id: 'mounts-closed',
    text: 'No mount and no root directory can be changed, by the old calls or the new ones.',
    expected: {
      mount: 'EPERM',
      umount2: 'EPERM',
      pivot_root: 'EPERM',
      chroot: 'EPERM',
      open_tree: 'ENOSYS',
      move_mount: 'ENOSYS',
      fsopen: 'ENOSYS',
      fsmount: 'ENOSYS',
      mount_setattr: 'ENOSYS',
    },
  },
  {
    id: 'io-uring-closed',
    text: 'io_uring, which does files and sockets past any filter, does not exist.',
    expected: { io_uring_setup: 'ENOSYS', io_uring_enter: 'ENOSYS', io_uring_register: 'ENOSYS' },
  },
  {
    id: 'kernel-interfaces-closed',
    text: 'Interfaces with a record of kernel holes are closed: bpf, perf, userfaultfd, keyrings, file handles, fanotify.',
    expected: {
      bpf: 'EPERM',
      perf_event_open: 'EPERM',
      userfaultfd: 'EPERM',
      keyctl: 'ENOSYS',
      add_key: 'ENOSYS',
      request_key: 'ENOSYS',
      open_by_handle_at: 'EPERM',
      fanotify_init: 'EPERM',
      'personality-exec': 'EPERM',
    },
  },
  {
    id: 'machine-control-closed',
    text: 'The machine’s modules, kernel, clock, swap, quotas, log and name are out of reach.',
    expected: {
      init_module: 'EPERM',
      finit_module: 'EPERM',
      delete_module: 'EPERM',
      kexec_load: 'EPERM',
      reboot: 'EPERM',
      swapon: 'EPERM',
      swapoff: 'EPERM',
      settimeofday: 'EPERM',
      clock_settime: 'EPERM',
      sethostname: 'EPERM',
      acct: 'EPERM',
      syslog: 'EPERM',
      quotactl: 'EPERM',
    },
  },
  {
    id: 'terminal-injection-closed',
    text: 'Nothing can be typed into a terminal (TIOCSTI, TIOCLINUX, TIOCSETD, whatever the upper bits say).',
    expected: { tiocsti: 'EPERM', 'tiocsti-high-bits': 'EPERM', tioclinux: 'EPERM', tiocsetd: 'EPERM' },
  },
  {
    id: 'socket-families-closed',
    text: 'Only unix, TCP, UDP, ICMP-echo and route-netlink sockets exist: no vsock, packet, raw, kernel crypto or audit sockets.',
    expected: {
      'socket-vsock': 'EAFNOSUPPORT',
      'socket-packet': 'EAFNOSUPPORT',
      'socket-alg': 'EAFNOSUPPORT',
      'socket-raw': 'EPERM',
      'socket-raw6': 'EPERM',
      'socket-netlink-audit': 'EPROTONOSUPPORT',
      'socket-netlink-netfilter': 'EPROTONOSUPPORT',
    },
  },
  {
    id: 'devices-closed',
    text: 'No device file can be made.',
    expected: { 'mknod-char': 'EPERM', 'mknod-block': 'EPERM' },
  },
  {
    id: 'foreign-calls-closed',
    text: 'The system calls of other architectures, which have other numbers, do not exist.',
    expected: { 'foreign-arch': 'ENOSYS' },
  },
]

/** What the native supervisor answers to `intercept:<act>`; without it the kernel would say ENOENT, ECONNREFUSED or yes. */
export const proofOfAnswer = 'EACCES'

/**
 * Claims only what holds: that the supervisor sees and answers. Whether a rule can be got round by a race is another matter
 * (SECCOMP_USER_NOTIF_FLAG_CONTINUE in seccomp_unotify(2)), and no claim.
 */
export const rulesClaim: Claim = {
  id: 'rules-answered',
  text: 'Acts that rules name reach the supervisor, which reports and answers them.',
}
