/* The mount API of Linux 5.2 and later, one step each. Everything is made detached and attached last. */
#ifndef BULKHEAD_LINUX_MOUNTS_H
#define BULKHEAD_LINUX_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../common/spec.h"
#include "failure.h"

#define BH_MOUNT_ATTRIBUTES_PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

struct bh_option {
  const char *key;
  const char *value; /* NULL: a flag */
};

/* A new filesystem; returns the detached mount or -errno. `options` ends with a NULL key. */
int bh_mount_new(const char *type, const struct bh_option *options, uint64_t attributes, struct bh_failure *failure);
/* tmpfs of at most `bytes`, with inodes in proportion: they are kernel memory too. */
int bh_mount_tmpfs(uint64_t bytes, uint32_t mode, uint64_t attributes, struct bh_failure *failure);

/*
 * A detached private copy of the tree at `source`, which is canonical: a symbolic link in it is refused, because whoever could place one
 * could redirect it. `map` is a user namespace for MOUNT_ATTR_IDMAP or -1. -ENOENT without a failure filled when it does not exist.
 */
int bh_mount_copy(const char *source, uint64_t attributes, int map, struct bh_failure *failure);

/* Changes attributes of one mount, not of those below it. */
int bh_mount_set(int mount, uint64_t attributes, struct bh_failure *failure, const char *what);

/* Attaches a detached mount (or moves one) onto what `at` (O_PATH) is. */
int bh_mount_attach(int mount, int at, struct bh_failure *failure, const char *what);

/*
 * A user namespace that shows ids of `owner` on disk as `agent` (mount_setattr(2), MOUNT_ATTR_IDMAP). The caller is root. It lives as long as
 * the descriptor.
 */
int bh_id_map(struct bh_identity owner, struct bh_identity agent, struct bh_failure *failure);

/*
 * For a supervisor that is root: makes the mounts of all `bind` entries here, where their sources can be reached and given an owner. The
 * agent's identity may reach them only by way of the view.
 */
int bh_mounts_prepare(struct bh_spec *spec, struct bh_failure *failure);

#endif
