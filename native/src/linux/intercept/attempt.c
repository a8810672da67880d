#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../intercept.h"
#include "numbers.h"
#include "object.h"

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif

#define NOWHERE ((long)-1)

/*
 * In a process of its own, because success would change the caller; it shares the memory (no page tables are copied) and only calls the
 * kernel. A signal means that the kernel has no such door at all.
 */
static int in_child(int (*act)(void)) {
  const pid_t child = vfork();
  if (child < 0) return errno;
  if (child == 0) _exit(act() & 0xff);
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
}

static int result_of(long result) { return result < 0 ? errno : 0; }

static int socket_of(int family, int type, int protocol) {
  const int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int clone3_user(void) {
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  const long child = syscall(SYS_clone3, &args, sizeof(args));
  if (child == 0) _exit(0);
  if (child > 0) waitpid((pid_t)child, NULL, 0);
  return result_of(child);
}

static int clone_user(void) {
  const long child = syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0);
  if (child == 0) _exit(0);
  if (child > 0) waitpid((pid_t)child, NULL, 0);
  return result_of(child);
}

static int unshare_user(void) { return result_of(syscall(SYS_unshare, CLONE_NEWUSER)); }
static int unshare_mount(void) { return result_of(syscall(SYS_unshare, CLONE_NEWNS)); }
static int read_implies_exec(void) { return result_of(personality(READ_IMPLIES_EXEC)); }

/* Being seized stops nothing, and the end of the tracer lets go again. */
static int seize(pid_t pid) { return result_of(ptrace(PTRACE_SEIZE, pid, NULL, NULL)); }
static int seize_init(void) { return seize(1); }

static pid_t grandparent;
static int seize_grandparent(void) { return grandparent > 0 ? seize(grandparent) : ESRCH; }

/* Address 0 is mapped nowhere: EFAULT means that access was granted. */
static int write_into_init(void) {
  char byte = 0;
  struct iovec here = {&byte, 1};
  struct iovec there = {NULL, 1};
  if (process_vm_writev(1, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) return 0;
  return errno;
}

static int device(mode_t type) { return result_of(syscall(SYS_mknodat, AT_FDCWD, NULL, (unsigned long)(type | 0600), 0UL)); }

#ifdef __x86_64__
static int foreign(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "r8", "r9", "r10", "r11", "memory"); /* i386 getpid */
  return result < 0 ? (int)-result : 0;
}
#endif

static int special(const char *name) {
  if (strcmp(name, "clone3-newuser") == 0) return clone3_user();
  if (strcmp(name, "clone-newuser") == 0) return clone_user();
  if (strcmp(name, "unshare-user") == 0) return in_child(unshare_user);
  if (strcmp(name, "unshare-mount") == 0) return in_child(unshare_mount);
  if (strcmp(name, "personality-exec") == 0) return in_child(read_implies_exec);
  if (strcmp(name, "ptrace-pid1") == 0) return in_child(seize_init);
  if (strcmp(name, "ptrace-parent") == 0) {
    grandparent = getppid();
    return in_child(seize_grandparent);
  }
  if (strcmp(name, "process_vm_writev-pid1") == 0) return write_into_init();
  if (strcmp(name, "mknod-char") == 0) return device(S_IFCHR);
  if (strcmp(name, "mknod-block") == 0) return device(S_IFBLK);
  if (strcmp(name, "socket-vsock") == 0) return socket_of(AF_VSOCK, SOCK_STREAM, 0);
  if (strcmp(name, "socket-packet") == 0) return socket_of(AF_PACKET, SOCK_RAW, 0);
  if (strcmp(name, "socket-alg") == 0) return socket_of(AF_ALG, SOCK_SEQPACKET, 0);
  if (strcmp(name, "socket-raw") == 0) return socket_of(AF_INET, SOCK_RAW, 1);
  if (strcmp(name, "socket-raw6") == 0) return socket_of(AF_INET6, SOCK_RAW, 58);
  if (strcmp(name, "socket-netlink-audit") == 0) return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
  if (strcmp(name, "socket-netlink-netfilter") == 0) return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
#ifdef __x86_64__
  if (strcmp(name, "foreign-arch") == 0) return in_child(foreign);
#else
  if (strcmp(name, "foreign-arch") == 0) return ENOSYS; /* 64-bit code has no instruction that calls as another architecture */
#endif
  return -1;
}

struct plain {
  const char *name;
  long number;
  long args[6];
};

/*
 * Arguments that fail or change nothing in a kernel that lets the call through; where the kernel looks at them before it looks at
 * privileges, the errno even tells who refused. ioctl: descriptor -1.
 */
static const struct plain plains[] = {
    {"io_uring_setup", SYS_io_uring_setup, {0}},
    {"io_uring_enter", SYS_io_uring_enter, {NOWHERE}},
    {"io_uring_register", SYS_io_uring_register, {NOWHERE}},
    {"mount", SYS_mount, {0}},
    {"umount2", SYS_umount2, {0}},
    {"open_tree", SYS_open_tree, {NOWHERE}},
    {"move_mount", SYS_move_mount, {NOWHERE, 0, NOWHERE}},
    {"fsopen", SYS_fsopen, {0}},
    {"fsmount", SYS_fsmount, {NOWHERE}},
    {"fspick", SYS_fspick, {NOWHERE}},
    {"mount_setattr", SYS_mount_setattr, {NOWHERE}},
    {"pivot_root", SYS_pivot_root, {0}},
    {"chroot", SYS_chroot, {0}},
    {"setns", SYS_setns, {NOWHERE}},
    {"keyctl", SYS_keyctl, {NOWHERE}},
    {"add_key", SYS_add_key, {0}},
    {"request_key", SYS_request_key, {0}},
    {"bpf", SYS_bpf, {NOWHERE}},
    {"perf_event_open", SYS_perf_event_open, {0}},
    {"userfaultfd", SYS_userfaultfd, {NOWHERE}},
    {"init_module", SYS_init_module, {0}},
    {"finit_module", SYS_finit_module, {NOWHERE}},
    {"delete_module", SYS_delete_module, {0}},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, NOWHERE}},
    {"reboot", SYS_reboot, {0}},
    {"swapon", SYS_swapon, {0}},
    {"swapoff", SYS_swapoff, {0}},
    {"settimeofday", SYS_settimeofday, {0}},
    {"clock_settime", SYS_clock_settime, {0}},
    {"sethostname", SYS_sethostname, {0, NOWHERE}},
    {"acct", SYS_acct, {1}},
    {"syslog", SYS_syslog, {10}}, /* asks for the size of the kernel's log */
    {"quotactl", SYS_quotactl, {NOWHERE}},
    {"open_by_handle_at", SYS_open_by_handle_at, {NOWHERE}},
    {"fanotify_init", SYS_fanotify_init, {NOWHERE}},
    {"set-id-fchmod", SYS_fchmod, {NOWHERE, S_ISUID | 0755}},
    {"set-gid-fchmod", SYS_fchmod, {NOWHERE, S_ISGID | 0755}},
    {"set-id-fchmodat", SYS_fchmodat, {NOWHERE, 0, S_ISUID | 0755}},
    {"set-id-fchmodat2", SYS_fchmodat2, {NOWHERE, 0, S_ISUID | 0755}},
    {"set-id-openat", SYS_openat, {NOWHERE, 0, O_WRONLY | O_CREAT, S_ISUID | 0755}},
    {"set-id-tmpfile", SYS_openat, {NOWHERE, 0, O_WRONLY | O_TMPFILE, S_ISUID | 0755}},
    {"set-id-mknodat", SYS_mknodat, {NOWHERE, 0, S_IFREG | S_ISUID | 0755}},
    {"openat2", SYS_openat2, {NOWHERE}},
    {"tiocsti", SYS_ioctl, {NOWHERE, TIOCSTI}},
    {"tiocsti-high-bits", SYS_ioctl, {NOWHERE, (long)(0x100000000UL | TIOCSTI)}},
    {"tioclinux", SYS_ioctl, {NOWHERE, 0x541C}},
    {"tiocsetd", SYS_ioctl, {NOWHERE, TIOCSETD}},
#ifdef __x86_64__
    {"iopl", SYS_iopl, {4}}, /* levels end at 3 */
    {"modify_ldt", SYS_modify_ldt, {0}}, /* reads the table; it is empty */
    {"x32-getpid", 0x40000000L + SYS_getpid, {0}},
#endif
};

const char *const bh_attempt_names[] = {
    "io_uring_setup", "io_uring_enter", "io_uring_register", "mount", "umount2", "open_tree", "move_mount", "fsopen", "fsmount",
    "fspick", "mount_setattr", "pivot_root", "chroot", "setns", "keyctl", "add_key", "request_key", "bpf", "perf_event_open",
    "userfaultfd", "init_module", "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "swapoff", "settimeofday",
    "clock_settime", "sethostname", "acct", "syslog", "quotactl", "open_by_handle_at", "fanotify_init", "set-id-fchmod",
    "set-gid-fchmod", "set-id-fchmodat", "set-id-fchmodat2", "set-id-openat", "set-id-tmpfile", "set-id-mknodat", "openat2", "tiocsti", "tiocsti-high-bits",
    "tioclinux", "tiocsetd", "clone3-newuser", "clone-newuser", "unshare-user", "unshare-mount", "personality-exec", "ptrace-pid1",
    "ptrace-parent", "process_vm_writev-pid1", "mknod-char", "mknod-block", "socket-vsock", "socket-packet", "socket-alg", "socket-raw",
    "socket-raw6", "socket-netlink-audit", "socket-netlink-netfilter", "foreign-arch",
#ifdef __x86_64__
    "iopl", "modify_ldt", "x32-getpid",
#endif
    NULL,
};

static int probe_socket(bool to_bind) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path + 1, BH_PROBE_SOCKET, strlen(BH_PROBE_SOCKET));
  const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(BH_PROBE_SOCKET));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const struct sockaddr *any = (const struct sockaddr *)&address;
  const int result = result_of(to_bind ? bind(fd, any, length) : connect(fd, any, length));
  close(fd);
  return result;
}

static int probe(const char *name) {
  char *const none[] = {NULL};
  char *const self[] = {(char *)(uintptr_t)BH_PROBE_PATH, NULL};
  switch (bh_act_from_name(name)) {
    case BH_ACT_FILE_WRITE: return result_of(open(BH_PROBE_PATH, O_WRONLY | O_CLOEXEC));
    case BH_ACT_FILE_DELETE: return result_of(unlinkat(AT_FDCWD, BH_PROBE_PATH, 0));
    case BH_ACT_FILE_RENAME: return result_of(renameat(AT_FDCWD, BH_PROBE_PATH, AT_FDCWD, BH_PROBE_PATH));
    case BH_ACT_FILE_CHMOD: return result_of(fchmodat(AT_FDCWD, BH_PROBE_PATH, 0600, 0));
    case BH_ACT_PROCESS_EXEC: return result_of(execve(BH_PROBE_PATH, self, none));
    case BH_ACT_NET_CONNECT: return probe_socket(false);
    case BH_ACT_NET_BIND: return probe_socket(true);
    default: return -1;
  }
}

int bh_attempt_syscall(const char *name) {
  if (strncmp(name, "intercept:", 10) == 0) return probe(name + 10);
  for (size_t i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
    if (strcmp(plains[i].name, name) != 0) continue;
    const long *a = plains[i].args;
    const long result = syscall(plains[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result < 0) return errno;
    return 0;
  }
  return special(name);
}
