#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bulkhead.h"
#include "sys.h"

#define RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int mount_of(int fd, uint64_t *id) {
  struct statx facts;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) < 0) return -errno;
  if ((facts.stx_mask & STATX_MNT_ID) == 0) return -ENOSYS;
  *id = facts.stx_mnt_id;
  return 0;
}

int bh_tree_own(struct bh_tree *tree, int mount, struct bh_failure *failure) {
  uint64_t id;
  const int result = mount_of(mount, &id);
  if (result < 0) return bh_fail(failure, result, "statx mount");
  uint64_t *grown = realloc(tree->owned, (tree->owned_count + 1) * sizeof(id));
  if (grown == NULL) return bh_fail(failure, ENOMEM, "view");
  tree->owned = grown;
  tree->owned[tree->owned_count++] = id;
  return 0;
}

static int may_create(const struct bh_tree *tree, int directory) {
  uint64_t id;
  const int result = mount_of(directory, &id);
  if (result < 0) return result;
  for (size_t i = 0; i < tree->owned_count; i++) {
    if (tree->owned[i] == id) return 0;
  }
  /* Not ours: creating here would change the host. */
  return -ENOENT;
}

int bh_tree_find(const struct bh_tree *tree, const char *target) {
  return bh_openat2(tree->root, target[1] == '\0' ? "." : target + 1, O_PATH | O_NOFOLLOW, 0, RESOLVE);
}

/* O_PATH descriptor of the directory that holds `target`, made with 0755 as needed; *name is the last component. */
static int parent_of(const struct bh_tree *tree, const char *target, const char **name, struct bh_failure *failure) {
  char path[BH_PATH_MAX + 1];
  const char *slash = strrchr(target, '/');
  const size_t length = (size_t)(slash - target);
  *name = slash + 1;
  memcpy(path, target, length);
  path[length] = '\0';
  if (length == 0) return bh_openat2(tree->root, ".", O_PATH | O_DIRECTORY, 0, RESOLVE);
  const int found = bh_openat2(tree->root, path + 1, O_PATH | O_DIRECTORY, 0, RESOLVE);
  if (found != -ENOENT) return found < 0 ? bh_fail_at(failure, found, "view target", "%s", target) : found;
  return bh_tree_make(tree, path, S_IFDIR, 0755, failure);
}

static int make_in(const struct bh_tree *tree, int parent, const char *name, mode_t type, mode_t mode) {
  int result = may_create(tree, parent);
  if (result < 0) return result;
  if (type == S_IFDIR) return mkdirat(parent, name, mode) < 0 ? -errno : 0;
  const int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
  if (fd < 0) return -errno;
  close(fd);
  return 0;
}

int bh_tree_make(const struct bh_tree *tree, const char *target, mode_t type, mode_t mode, struct bh_failure *failure) {
  int at = bh_tree_find(tree, target);
  if (at >= 0) return at;
  if (at != -ENOENT) return bh_fail_at(failure, at, "view target", "%s", target);
  const char *name;
  const int parent = parent_of(tree, target, &name, failure);
  if (parent < 0) return failure->error != 0 ? parent : bh_fail_at(failure, parent, "view target", "%s", target);
  const int made = make_in(tree, parent, name, type, mode);
  at = made < 0 ? made : bh_openat2(parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE);
  close(parent);
  return at < 0 ? bh_fail_at(failure, at, "view target", "%s", target) : at;
}

int bh_tree_create(const struct bh_tree *tree, const char *target, struct bh_failure *failure) {
  const char *name;
  const int parent = parent_of(tree, target, &name, failure);
  if (parent < 0) return failure->error != 0 ? parent : bh_fail_at(failure, parent, "view file", "%s", target);
  int fd = may_create(tree, parent);
  if (fd == 0) {
    fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) fd = -errno;
  }
  close(parent);
  return fd < 0 ? bh_fail_at(failure, fd, "view file", "%s", target) : fd;
}

int bh_tree_link(const struct bh_tree *tree, const char *target, const char *to, struct bh_failure *failure) {
  const char *name;
  const int parent = parent_of(tree, target, &name, failure);
  if (parent < 0) return failure->error != 0 ? parent : bh_fail_at(failure, parent, "view symlink", "%s", target);
  int result = may_create(tree, parent);
  if (result == 0 && symlinkat(to, parent, name) < 0) result = -errno;
  close(parent);
  return result < 0 ? bh_fail_at(failure, result, "view symlink", "%s", target) : 0;
}

int bh_write_all(int fd, const void *content, size_t length, mode_t mode, const char *target, struct bh_failure *failure) {
  const char *at = content;
  while (length > 0) {
    const ssize_t written = write(fd, at, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return bh_fail_at(failure, errno, "view file", "%s", target);
    at += written;
    length -= (size_t)written;
  }
  return fchmod(fd, mode) < 0 ? bh_fail_at(failure, errno, "view file", "%s", target) : 0;
}
