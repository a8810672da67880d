#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "kernel.h"

#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* A detached mount of a fresh filesystem; `key`/`value` pairs end with NULL. */
static int fresh(const char *type, const char *const *options, uint64_t attributes, struct bh_fault *fault) {
  const int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return bh_fault(fault, 0, "fsopen", type);
  int mount = -1;
  for (; options && options[0]; options += 2) {
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0) {
      bh_fault(fault, 0, "fsconfig", options[0]);
      close(context);
      return -1;
    }
  }
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
    bh_fault(fault, 0, "fsconfig create", type);
  } else if ((mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attributes)) < 0) {
    bh_fault(fault, 0, "fsmount", type);
  }
  close(context);
  return mount;
}

static int tmpfs(uint64_t size, uint32_t mode, uint64_t attributes, struct bh_fault *fault) {
  char bytes[24], octal[12], inodes[24];
  snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
  snprintf(octal, sizeof(octal), "%o", mode);
  /* One inode per 4 KiB: files without content are bounded like files with. */
  snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)(size / 4096 + 1024));
  const char *const options[] = {"size", bytes, "mode", octal, "nr_inodes", inodes, NULL};
  return fresh("tmpfs", options, attributes, fault);
}

/* Mounts that were made for this view. Nothing is ever created anywhere else: everything else belongs to the host. */
static uint64_t *own_mounts;
static size_t own_count;

static int mount_id(int fd, uint64_t *id) {
  struct statx facts;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) < 0) return -1;
  if ((facts.stx_mask & STATX_MNT_ID) == 0) {
    errno = ENOSYS;
    return -1;
  }
  *id = facts.stx_mnt_id;
  return 0;
}

static int own(int mount, struct bh_fault *fault) {
  uint64_t id;
  uint64_t *grown = realloc(own_mounts, (own_count + 1) * sizeof(id));
  if (!grown) return bh_fault(fault, ENOMEM, "view", NULL);
  own_mounts = grown;
  if (mount_id(mount, &id) < 0) return bh_fault(fault, 0, "statx of a mount", NULL);
  own_mounts[own_count++] = id;
  return 0;
}

static bool is_own(int fd) {
  uint64_t id;
  if (mount_id(fd, &id) < 0) return false;
  for (size_t i = 0; i < own_count; i++) {
    if (own_mounts[i] == id) return true;
  }
  errno = EROFS;
  return false;
}

/*
 * Opens `path` below `root`, making directories that are missing, and the last component as a directory or an empty file. Follows no
 * link at all: an agent may have written part of what is mounted here already.
 */
static int open_target(int root, const char *path, mode_t mode, bool directory, struct bh_fault *fault) {
  int at = dup(root);
  char component[256];
  while (at >= 0 && *path) {
    while (*path == '/') path++;
    const size_t length = strcspn(path, "/");
    if (length == 0) break;
    if (length >= sizeof(component)) {
      close(at);
      return bh_fault(fault, ENAMETOOLONG, "path of the view", NULL);
    }
    memcpy(component, path, length);
    component[length] = 0;
    path += length;
    const bool last = *path == 0;
    const bool folder = !last || directory;
    int next = openat(at, component, O_PATH | O_NOFOLLOW | O_CLOEXEC | (folder ? O_DIRECTORY : 0));
    if (next < 0 && errno == ENOENT) {
      if (!is_own(at)) goto failed;
      if (folder) {
        if (mkdirat(at, component, last ? mode : 0755) < 0) goto failed;
      } else {
        const int made = openat(at, component, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (made < 0) goto failed;
        close(made);
      }
      next = openat(at, component, O_PATH | O_NOFOLLOW | O_CLOEXEC | (folder ? O_DIRECTORY : 0));
    }
    if (next < 0) goto failed;
    struct stat status;
    if (!folder && (fstat(next, &status) < 0 || S_ISLNK(status.st_mode))) {
      close(next);
      errno = ELOOP;
      goto failed;
    }
    close(at);
    at = next;
  }
  return at;
failed: {
  const int code = errno;
  close(at);
  return bh_fault(fault, code, "making in the view", component);
}
}

/* Attaches a detached mount and gives the descriptor up. */
static int attach(int root, int mount, const char *target, bool directory, struct bh_fault *fault) {
  const int place = open_target(root, target, 0755, directory, fault);
  int result = -1;
  if (place >= 0) {
    result = bh_move_mount(mount, place);
    if (result < 0) bh_fault(fault, 0, "move_mount to", target);
    close(place);
  }
  close(mount);
  return result;
}

static int is_directory(int fd, struct bh_fault *fault) {
  struct stat status;
  if (fstat(fd, &status) < 0) return bh_fault(fault, 0, "fstat of a mount", NULL);
  return S_ISDIR(status.st_mode) ? 1 : 0;
}

static int bind_one(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  const bool mapped = entry->mapped;
  int tree = entry->mount;
  if (!mapped) tree = bh_copy_mount(entry->text, true);
  if (tree < 0) {
    /* An optional source that is missing; a mapped one has been looked for before. A source hidden from this identity does not exist for it. */
    if (entry->optional && (mapped || errno == ENOENT || errno == EACCES)) return 0;
    return bh_fault(fault, 0, "open_tree", entry->text);
  }
  struct mount_attr attributes = {.attr_set = PLAIN | (entry->writable ? 0 : MOUNT_ATTR_RDONLY), .propagation = MS_PRIVATE};
  if (bh_mount_setattr(tree, mapped ? 0 : AT_RECURSIVE, &attributes) < 0) {
    const int code = errno;
    close(tree);
    return bh_fault(fault, code, "mount_setattr", entry->text);
  }
  const int directory = is_directory(tree, fault);
  if (directory < 0) {
    close(tree);
    return -1;
  }
  return attach(root, tree, entry->target, directory == 1, fault);
}

/* Binds something of the old root (a device) or of the view itself, by descriptor or path. */
static int bind_path(int root, int at, const char *source, const char *target, uint64_t set, bool directory, struct bh_fault *fault) {
  const int tree = bh_open_tree(at, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) return errno == ENOENT ? 0 : bh_fault(fault, 0, "open_tree", source);
  struct mount_attr attributes = {.attr_set = set};
  if (set != 0 && bh_mount_setattr(tree, 0, &attributes) < 0) {
    const int code = errno;
    close(tree);
    return bh_fault(fault, code, "mount_setattr", source);
  }
  return attach(root, tree, target, directory, fault);
}

static int make_proc(int root, const char *target, struct bh_fault *fault) {
  /* Parts of /proc that configure the whole machine. They check the kernel identity, not capabilities. */
  static const char *const system_parts[] = {"sys", "irq", "bus", "fs", "sysrq-trigger", "acpi", "scsi"};
  const int proc = fresh("proc", NULL, PLAIN | MOUNT_ATTR_NOEXEC, fault);
  if (proc < 0 || attach(root, proc, target, true, fault) < 0) return -1;
  for (size_t i = 0; i < sizeof(system_parts) / sizeof(*system_parts); i++) {
    char path[512];
    if (snprintf(path, sizeof(path), "%s/%s", target, system_parts[i]) >= (int)sizeof(path)) return bh_fault(fault, ENAMETOOLONG, "path of /proc", NULL);
    struct stat status;
    if (fstatat(root, path + 1, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (bind_path(root, root, path + 1, path, MOUNT_ATTR_RDONLY | PLAIN | MOUNT_ATTR_NOEXEC, S_ISDIR(status.st_mode), fault) < 0) return -1;
  }
  return 0;
}

static int make_dev(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  static const char *const links[][2] = {
      {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"}};
  char path[512], source[32];
  const int dev = tmpfs(64 * 1024, 0755, PLAIN | MOUNT_ATTR_NOEXEC, fault);
  if (dev < 0) return -1;
  const int keep = dup(dev);
  if (keep < 0 || own(dev, fault) < 0 || attach(root, dev, entry->target, true, fault) < 0) return -1;
  for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
    snprintf(source, sizeof(source), "/dev/%s", devices[i]);
    snprintf(path, sizeof(path), "%s/%s", entry->target, devices[i]);
    if (bind_path(root, AT_FDCWD, source, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false, fault) < 0) return -1;
  }
  for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
    if (symlinkat(links[i][1], keep, links[i][0]) < 0) return bh_fault(fault, 0, "symlink in /dev", links[i][0]);
  }
  static const char *const terminals[] = {"newinstance", "", "ptmxmode", "0666", "mode", "0620", NULL};
  const int pts = fresh("devpts", terminals + 2, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, fault);
  snprintf(path, sizeof(path), "%s/pts", entry->target);
  if (pts < 0 || attach(root, pts, path, true, fault) < 0) return -1;
  const int shm = tmpfs(entry->size, 01777, PLAIN, fault);
  snprintf(path, sizeof(path), "%s/shm", entry->target);
  if (shm < 0 || attach(root, shm, path, true, fault) < 0) return -1;
  struct mount_attr frozen = {.attr_set = MOUNT_ATTR_RDONLY};
  if (bh_mount_setattr(keep, 0, &frozen) < 0) return bh_fault(fault, 0, "mount_setattr", "/dev");
  close(keep);
  return 0;
}

/* Writes a whole file and gives it its mode. */
static int fill(int fd, const char *text, uint32_t mode, const char *target, struct bh_fault *fault) {
  const size_t length = strlen(text);
  size_t done = 0;
  while (done < length) {
    const ssize_t n = write(fd, text + done, length - done);
    if (n < 0) break;
    done += (size_t)n;
  }
  const int failed = done < length || fchmod(fd, mode) < 0;
  return failed ? bh_fault(fault, 0, "write", target) : 0;
}

/*
 * Puts a read-only file over whatever exists at `place`, which is not changed by it. The file stands in the root for a moment, because only
 * what is attached can be copied before Linux 6.15.
 */
static int cover(int root, int place, const char *text, uint32_t mode, const char *target, struct bh_fault *fault) {
  static const char name[] = ".bulkhead-cover";
  const int fd = openat(root, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return bh_fault(fault, 0, "cover of", target);
  int result = fill(fd, text, mode, target, fault);
  close(fd);
  const int tree = result < 0 ? -1 : bh_open_tree(root, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (result == 0 && tree < 0) result = bh_fault(fault, 0, "open_tree of the cover of", target);
  struct mount_attr frozen = {.attr_set = MOUNT_ATTR_RDONLY | PLAIN};
  if (result == 0 && (bh_mount_setattr(tree, 0, &frozen) < 0 || bh_move_mount(tree, place) < 0)) result = bh_fault(fault, 0, "covering", target);
  if (tree >= 0) close(tree);
  unlinkat(root, name, 0);
  return result;
}

static int find(int root, const char *target) {
  const struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT};
  return (int)syscall(SYS_openat2, root, target, &how, sizeof(how));
}

static int make_file(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  const int there = find(root, entry->target);
  if (there >= 0) {
    const int result = cover(root, there, entry->text, entry->mode, entry->target, fault);
    close(there);
    return result;
  }
  if (errno != ENOENT) return bh_fault(fault, 0, "making in the view", entry->target);
  const int place = open_target(root, entry->target, 0, false, fault);
  if (place < 0) return -1;
  char link[40];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
  const int fd = open(link, O_WRONLY | O_CLOEXEC);
  close(place);
  if (fd < 0) return bh_fault(fault, 0, "open", entry->target);
  const int result = fill(fd, entry->text, entry->mode, entry->target, fault);
  close(fd);
  return result;
}

static int make_symlink(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  char parent[4096];
  if (snprintf(parent, sizeof(parent), "%s", entry->target) >= (int)sizeof(parent)) return bh_fault(fault, ENAMETOOLONG, "symlink", NULL);
  char *slash = strrchr(parent, '/');
  *slash = 0;
  const int at = open_target(root, parent, 0755, true, fault);
  if (at < 0) return -1;
  const int result = is_own(at) ? symlinkat(entry->text, at, slash + 1) : -1;
  if (result < 0) bh_fault(fault, 0, "symlink", entry->target);
  close(at);
  return result;
}

/* Covers what exists at the target with an empty file or directory that nobody can open. */
static int hide(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  const int place = find(root, entry->target);
  /* ELOOP: it lies behind a link; what that leads to is shown or hidden under its own path. */
  if (place < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : bh_fault(fault, 0, "openat2", entry->target);
  struct stat status;
  int result = fstat(place, &status) < 0 ? bh_fault(fault, 0, "fstat", entry->target) : 0;
  if (result == 0 && !S_ISDIR(status.st_mode)) {
    result = cover(root, place, "", 0, entry->target, fault);
  } else if (result == 0) {
    const int mount = tmpfs(4096, 0, PLAIN | MOUNT_ATTR_RDONLY, fault);
    result = mount < 0 ? -1 : bh_move_mount(mount, place) < 0 ? bh_fault(fault, 0, "hiding", entry->target) : 0;
    if (mount >= 0) close(mount);
  }
  close(place);
  return result;
}

static int make_entry(int root, const struct bh_entry *entry, struct bh_fault *fault) {
  int fd;
  switch (entry->kind) {
    case BH_BIND:
      return bind_one(root, entry, fault);
    case BH_TMPFS:
      fd = tmpfs(entry->size, entry->mode, PLAIN, fault);
      return fd < 0 || own(fd, fault) < 0 ? -1 : attach(root, fd, entry->target, true, fault);
    case BH_FILE:
      return make_file(root, entry, fault);
    case BH_SYMLINK:
      return make_symlink(root, entry, fault);
    case BH_DIRECTORY:
      fd = open_target(root, entry->target, entry->mode, true, fault);
      return fd < 0 ? -1 : close(fd);
    case BH_HIDE:
      return hide(root, entry, fault);
    case BH_PROC:
      return make_proc(root, entry->target, fault);
    default:
      return make_dev(root, entry, fault);
  }
}

int bh_view_enter(const struct bh_spec *spec, struct bh_fault *fault) {
  umask(0);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return bh_fault(fault, 0, "making mounts private", NULL);
  const int root = tmpfs(1024 * 1024, 0755, PLAIN, fault);
  if (root < 0) return -1;
  /* On "/", not on a directory: a path of the old root must stay reachable while it is bound (also one below /tmp). */
  const int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0 || bh_move_mount(root, old) < 0) return bh_fault(fault, 0, "move_mount of the new root", NULL);
  close(old);
  if (own(root, fault) < 0) return -1;
  for (size_t i = 0; i < spec->entry_count; i++) {
    if (make_entry(root, &spec->entries[i], fault) < 0) return -1;
  }
  struct mount_attr frozen = {.attr_set = MOUNT_ATTR_RDONLY};
  if (bh_mount_setattr(root, 0, &frozen) < 0) return bh_fault(fault, 0, "mount_setattr of the root", NULL);
  if (fchdir(root) < 0) return bh_fault(fault, 0, "fchdir", NULL);
  if (syscall(SYS_pivot_root, ".", ".") < 0) return bh_fault(fault, 0, "pivot_root", NULL);
  if (umount2(".", MNT_DETACH) < 0) return bh_fault(fault, 0, "umount of the old root", NULL);
  if (chdir("/") < 0) return bh_fault(fault, 0, "chdir", NULL);
  close(root);
  umask(022);
  return 0;
}
