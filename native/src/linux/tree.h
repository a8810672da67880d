/* Finding and making places in a view under construction. */
#ifndef BULKHEAD_LINUX_TREE_H
#define BULKHEAD_LINUX_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

struct bh_tree {
  int root; /* the root's mount */
  uint64_t *owned; /* mounts that were made for this view: only there anything is created */
  size_t owned_count;
};

/* Allows creating in a mount. */
int bh_tree_own(struct bh_tree *tree, int mount, struct bh_failure *failure);

/* O_PATH descriptor of an existing target (a link at its end is not followed), or -errno without a failure filled. */
int bh_tree_find(const struct bh_tree *tree, const char *target);

/* Finds the target or makes it, with its parents: a directory or an empty file by `type`. `mode` is that of a new directory. */
int bh_tree_make(const struct bh_tree *tree, const char *target, mode_t type, mode_t mode, struct bh_failure *failure);

/* A new empty file, opened for writing. */
int bh_tree_create(const struct bh_tree *tree, const char *target, struct bh_failure *failure);

int bh_tree_link(const struct bh_tree *tree, const char *target, const char *to, struct bh_failure *failure);

int bh_write_all(int fd, const void *content, size_t length, mode_t mode, const char *target, struct bh_failure *failure);

#endif
