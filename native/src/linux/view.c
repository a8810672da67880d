#include "view.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mounts.h"
#include "sys.h"
#include "tree.h"

/* For the texts of `file` entries and empty files; everything else of the root is directories. */
#define ROOT_BYTES (64U << 20)

static int attach(struct bh_tree *tree, int mount, const char *target, mode_t type, struct bh_failure *failure) {
  const int at = bh_tree_make(tree, target, type, 0755, failure);
  if (at < 0) return at;
  const int result = bh_mount_attach(mount, at, failure, target);
  close(at);
  return result;
}

static int add_bind(struct bh_tree *tree, const struct bh_view_entry *entry, struct bh_failure *failure) {
  if (entry->missing) return 0;
  int mount = entry->tree;
  if (mount < 0) {
    if (entry->owned) return bh_fail_at(failure, EPERM, "bind owner", "%s needs root", entry->text);
    mount = bh_mount_copy(entry->text, BH_MOUNT_ATTRIBUTES_PLAIN | (entry->writable ? 0 : MOUNT_ATTR_RDONLY), -1, failure);
  }
  if (mount == -ENOENT && failure->error == 0) {
    return entry->optional ? 0 : bh_fail_at(failure, ENOENT, "bind source", "%s", entry->text);
  }
  if (mount < 0) return mount;
  struct stat facts;
  int result = fstat(mount, &facts) < 0 ? bh_fail_at(failure, errno, "stat", "%s", entry->text) : 0;
  if (result == 0) result = attach(tree, mount, entry->target, S_ISDIR(facts.st_mode) ? S_IFDIR : S_IFREG, failure);
  close(mount);
  return result;
}

static int add_mount(struct bh_tree *tree, int mount, const char *target, bool owned, struct bh_failure *failure) {
  if (mount < 0) return mount;
  int result = attach(tree, mount, target, S_IFDIR, failure);
  if (result == 0 && owned) result = bh_tree_own(tree, mount, failure);
  close(mount);
  return result;
}

/* Puts an (unlinked) file of the root over something that exists. */
static int cover_with_file(struct bh_tree *tree, int at, const void *content, size_t length, mode_t mode, const char *target,
                           struct bh_failure *failure) {
  static const char name[] = ".bulkhead-cover";
  const int fd = openat(tree->root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return bh_fail_at(failure, errno, "cover", "%s", target);
  int result = bh_write_all(fd, content, length, mode, target, failure);
  close(fd);
  int copy = -1;
  if (result == 0) {
    copy = bh_open_tree(tree->root, name, OPEN_TREE_CLONE);
    if (copy < 0) result = bh_fail_at(failure, copy, "open_tree", "cover of %s", target);
  }
  if (result == 0) result = bh_mount_set(copy, BH_MOUNT_ATTRIBUTES_PLAIN | MOUNT_ATTR_RDONLY, failure, target);
  if (result == 0) result = bh_mount_attach(copy, at, failure, target);
  if (copy >= 0) close(copy);
  unlinkat(tree->root, name, 0);
  return result;
}

static int add_file(struct bh_tree *tree, const struct bh_view_entry *entry, struct bh_failure *failure) {
  int at = bh_tree_find(tree, entry->target);
  if (at >= 0) {
    const int result = cover_with_file(tree, at, entry->content, entry->length, entry->mode, entry->target, failure);
    close(at);
    return result;
  }
  const int fd = bh_tree_create(tree, entry->target, failure);
  if (fd < 0) return fd;
  const int result = bh_write_all(fd, entry->content, entry->length, entry->mode, entry->target, failure);
  close(fd);
  return result;
}

static int add_hide(struct bh_tree *tree, const char *target, struct bh_failure *failure) {
  const int at = bh_tree_find(tree, target);
  if (at == -ENOENT || at == -ENOTDIR) return 0;
  if (at < 0) return bh_fail_at(failure, at, "hide", "%s", target);
  struct stat facts;
  int result = fstat(at, &facts) < 0 ? bh_fail_at(failure, errno, "hide", "%s", target) : 0;
  if (result == 0 && S_ISDIR(facts.st_mode)) {
    const int mount = bh_mount_tmpfs(0, 0, BH_MOUNT_ATTRIBUTES_PLAIN | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, failure);
    result = mount < 0 ? mount : bh_mount_attach(mount, at, failure, target);
    if (mount >= 0) close(mount);
  } else if (result == 0) {
    result = cover_with_file(tree, at, "", 0, 0, target, failure);
  }
  close(at);
  return result;
}

static int add_directory(struct bh_tree *tree, const struct bh_view_entry *entry, struct bh_failure *failure) {
  const int at = bh_tree_make(tree, entry->target, S_IFDIR, entry->mode, failure);
  if (at < 0) return at;
  close(at);
  return 0;
}

/* proc(5) parts that change the machine and ask for uid 0 or for nothing, not for a capability. */
static const char *const proc_parts[] = {"sys", "irq", "bus", "sysrq-trigger", "acpi", "scsi", "fs"};

static int add_proc(struct bh_tree *tree, const char *target, struct bh_failure *failure) {
  const struct bh_option options[] = {{NULL, NULL}};
  const int mount = bh_mount_new("proc", options, BH_MOUNT_ATTRIBUTES_PLAIN | MOUNT_ATTR_NOEXEC, failure);
  if (mount < 0) return mount;
  int result = attach(tree, mount, target, S_IFDIR, failure);
  for (size_t i = 0; result == 0 && i < sizeof(proc_parts) / sizeof(proc_parts[0]); i++) {
    const int part = bh_open_tree(mount, proc_parts[i], OPEN_TREE_CLONE);
    if (part == -ENOENT) continue;
    if (part < 0) {
      result = bh_fail_at(failure, part, "open_tree", "%s/%s", target, proc_parts[i]);
      break;
    }
    result = bh_mount_set(part, BH_MOUNT_ATTRIBUTES_PLAIN | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, failure, proc_parts[i]);
    if (result == 0) {
      const int moved = bh_move_mount(part, mount, proc_parts[i], 0);
      if (moved < 0) result = bh_fail_at(failure, moved, "move_mount", "%s/%s", target, proc_parts[i]);
    }
    close(part);
  }
  close(mount);
  return result;
}

static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
static const struct {
  const char *name;
  const char *to;
} device_links[] = {
    {"ptmx", "pts/ptmx"}, {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
};

/* What belongs into a fresh /dev, whose root directory is `dev`. */
static int fill_dev(int dev, uint64_t shm_bytes, struct bh_failure *failure) {
  for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    char source[32];
    snprintf(source, sizeof(source), "/dev/%s", devices[i]);
    const int node = bh_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE);
    if (node < 0) return bh_fail_at(failure, node, "open_tree", "%s", source);
    const int file = openat(dev, devices[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file >= 0) close(file);
    int result = file < 0 ? -errno : bh_move_mount(node, dev, devices[i], 0);
    close(node);
    if (result < 0) return bh_fail_at(failure, result, "device", "%s", source);
  }
  for (size_t i = 0; i < sizeof(device_links) / sizeof(device_links[0]); i++) {
    if (symlinkat(device_links[i].to, dev, device_links[i].name) < 0) return bh_fail_at(failure, errno, "symlink", "%s", device_links[i].name);
  }
  if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0) return bh_fail(failure, errno, "mkdir dev");
  const struct bh_option options[] = {{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0600"}, {NULL, NULL}};
  const int pts = bh_mount_new("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, failure);
  if (pts < 0) return pts;
  int result = bh_move_mount(pts, dev, "pts", 0);
  close(pts);
  if (result < 0) return bh_fail(failure, result, "mount devpts");
  const int shm = bh_mount_tmpfs(shm_bytes, 01777, BH_MOUNT_ATTRIBUTES_PLAIN, failure);
  if (shm < 0) return shm;
  result = bh_move_mount(shm, dev, "shm", 0);
  close(shm);
  return result < 0 ? bh_fail(failure, result, "mount shm") : 0;
}

static int add_dev(struct bh_tree *tree, const char *target, uint64_t shm_bytes, struct bh_failure *failure) {
  const int dev = bh_mount_tmpfs(1U << 20, 0755, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, failure);
  if (dev < 0) return dev;
  int result = attach(tree, dev, target, S_IFDIR, failure);
  if (result == 0) result = fill_dev(dev, shm_bytes, failure);
  if (result == 0) result = bh_mount_set(dev, MOUNT_ATTR_RDONLY, failure, target);
  close(dev);
  return result;
}

static int add_entry(struct bh_tree *tree, const struct bh_view_entry *entry, struct bh_failure *failure) {
  switch (entry->kind) {
    case BH_BIND: return add_bind(tree, entry, failure);
    case BH_TMPFS:
      return add_mount(tree, bh_mount_tmpfs(entry->size, entry->mode, BH_MOUNT_ATTRIBUTES_PLAIN, failure), entry->target, true, failure);
    case BH_FILE: return add_file(tree, entry, failure);
    case BH_SYMLINK: return bh_tree_link(tree, entry->target, entry->text, failure);
    case BH_DIRECTORY: return add_directory(tree, entry, failure);
    case BH_HIDE: return add_hide(tree, entry->target, failure);
    case BH_PROC: return add_proc(tree, entry->target, failure);
    case BH_DEV: return add_dev(tree, entry->target, entry->size, failure);
    case BH_ENTRY_COUNT: break;
  }
  return bh_fail(failure, EINVAL, "view entry");
}

static int build(struct bh_tree *tree, const struct bh_spec *spec, struct bh_failure *failure) {
  /* Nothing that is mounted here may show on the host or the other way round. */
  struct mount_attr attr = {.propagation = MS_PRIVATE};
  if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0) return bh_fail(failure, errno, "private mounts");
  /* On "/" and not below it: anywhere else it would cover sources of binds. Absolute paths still begin at the old root, below it. */
  int result = bh_move_mount(tree->root, AT_FDCWD, "/", 0);
  if (result < 0) return bh_fail(failure, result, "move_mount root");
  result = bh_tree_own(tree, tree->root, failure);
  for (uint32_t i = 0; result == 0 && i < spec->entry_count; i++) result = add_entry(tree, &spec->entries[i], failure);
  if (result == 0) result = bh_mount_set(tree->root, MOUNT_ATTR_RDONLY, failure, "/");
  return result;
}

static int change_root(int root, struct bh_failure *failure) {
  if (fchdir(root) < 0) return bh_fail(failure, errno, "fchdir root");
  if (syscall(SYS_pivot_root, ".", ".") < 0) return bh_fail(failure, errno, "pivot_root");
  /* "." is now the old root, on top of the new one (pivot_root(2), notes). */
  if (syscall(SYS_umount2, ".", MNT_DETACH) < 0) return bh_fail(failure, errno, "detach old root");
  if (chdir("/") < 0) return bh_fail(failure, errno, "chdir root");
  return 0;
}

int bh_view_enter(const struct bh_spec *spec, struct bh_failure *failure) {
  struct bh_tree tree = {.root = bh_mount_tmpfs(ROOT_BYTES, 0755, BH_MOUNT_ATTRIBUTES_PLAIN, failure)};
  if (tree.root < 0) return tree.root;
  const mode_t mask = umask(0);
  int result = build(&tree, spec, failure);
  if (result == 0) result = change_root(tree.root, failure);
  umask(mask);
  free(tree.owned);
  close(tree.root);
  return result;
}
