/* What an act is done to, as text that rules are matched against. */
#ifndef BULKHEAD_LINUX_INTERCEPT_OBJECT_H
#define BULKHEAD_LINUX_INTERCEPT_OBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bh_object {
  /* As the agent wrote it, made absolute and normalised by its text alone. */
  char named[2 * PATH_MAX];
  /* After following links in the sandbox's root: what it really is. Equal to `named` when it could not be followed. */
  char real[2 * PATH_MAX];
  /* There is nothing of that name, as far as the supervisor can see. */
  bool missing;
};

enum bh_follow {
  BH_FOLLOW, /* a link at the end is followed (exec, open, chmod) */
  BH_FOLLOW_PARENT /* it is not (unlink, rename) */
};

/* Answered with EACCES at all times, never reported: how `verify` proves that a notification was read and answered. */
#define BH_PROBE_PATH "/.bulkhead/intercept-probe"
#define BH_PROBE_SOCKET "bulkhead-intercept-probe"

/*
 * The path at `address`, relative to `directory` (a descriptor of the process or AT_FDCWD). With `empty` an empty path is the
 * descriptor itself (AT_EMPTY_PATH). `root` is an O_PATH descriptor of the sandbox's root. Returns 0 or -errno: -EFAULT and
 * -ENAMETOOLONG are what the kernel itself would answer, -ENOENT is an empty path; anything else: the process cannot be read.
 */
int bh_object_path(struct bh_object *object, pid_t pid, int root, int directory, uint64_t address, bool empty, enum bh_follow follow);

/* A path that was copied already, relative to the working directory. */
int bh_object_relative(struct bh_object *object, pid_t pid, int root, const char *path, size_t length);

/* The file behind a descriptor of the process. */
int bh_object_descriptor(struct bh_object *object, pid_t pid, int descriptor);

/*
 * The socket address at `address`. Returns 0, -errno as above, -EINVAL for a length the kernel refuses, or -ENOMSG for a family that
 * rules do not see (AF_NETLINK; AF_UNSPEC, which means "disconnect" to connect): that is let through. With `unspecified` AF_UNSPEC
 * means AF_INET, as it does to sendto and bind (udp(7), net/ipv4/udp.c).
 */
int bh_object_address(struct bh_object *object, pid_t pid, int root, uint64_t address, uint32_t length, bool unspecified);

#endif
