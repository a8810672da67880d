/* Kernel interfaces that the oldest supported C library or headers lack. Numbers: asm-generic/unistd.h (424 and up are common). */
#ifndef BULKHEAD_KERNEL_H
#define BULKHEAD_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2)
#endif
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ull << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ull << 15)
#endif

/* landlock_ruleset_attr up to ABI 6 (landlock(7)); older headers know fewer members. */
struct bh_landlock_attributes {
  uint64_t handled_access_fs, handled_access_net, scoped;
};
#define BH_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define BH_LANDLOCK_SCOPE_SIGNAL (1ull << 1)

static inline int bh_open_tree(int at, const char *path, unsigned flags) { return (int)syscall(SYS_open_tree, at, path, flags); }
/*
 * A detached copy of the mount at `source`, with those below it when `recursive`. A symbolic link anywhere in `source` is refused (ELOOP):
 * the path was made canonical before, so whoever put one there since wants something else to be shown.
 */
static inline int bh_copy_mount(const char *source, int recursive) {
  /* Not with O_NOFOLLOW: that would return a link at the end instead of refusing it (openat2(2)). */
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  const int at = (int)syscall(SYS_openat2, AT_FDCWD, source, &how, sizeof(how));
  if (at < 0) return -1;
  const int tree = bh_open_tree(at, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
  const int code = errno;
  close(at);
  errno = code;
  return tree;
}
static inline int bh_move_mount(int from, int to) {
  return (int)syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
static inline int bh_mount_setattr(int fd, unsigned flags, struct mount_attr *attributes) {
  return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, attributes, sizeof(*attributes));
}
static inline int bh_pidfd_send_signal(int pidfd, int signal, unsigned flags) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, 0, flags);
}
static inline int bh_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

#endif
