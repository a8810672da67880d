#include "mounts.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "privileges.h"
#include "sys.h"

/* Of a detached mount while it has no other owner: closes it and passes the failure on. */
static int give_up(int mount, int error) {
  close(mount);
  return error;
}

int bh_mount_new(const char *type, const struct bh_option *options, uint64_t attributes, struct bh_failure *failure) {
  const int context = bh_result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
  if (context < 0) return bh_fail_at(failure, context, "fsopen", "%s", type);
  for (const struct bh_option *option = options; option->key != NULL; option++) {
    const unsigned command = option->value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    if (syscall(SYS_fsconfig, context, command, option->key, option->value, 0) < 0) {
      return give_up(context, bh_fail_at(failure, errno, "fsconfig", "%s %s", type, option->key));
    }
  }
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
    return give_up(context, bh_fail_at(failure, errno, "mount", "%s", type));
  }
  const int mount = bh_result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned)attributes));
  if (mount < 0) bh_fail_at(failure, mount, "fsmount", "%s", type);
  close(context);
  return mount;
}

int bh_mount_tmpfs(uint64_t bytes, uint32_t mode, uint64_t attributes, struct bh_failure *failure) {
  char size[24], inodes[24], permissions[8];
  /* 0 would mean no limit to the kernel. */
  snprintf(size, sizeof(size), "%" PRIu64, bytes < 4096 ? 4096 : bytes);
  const uint64_t wanted = bytes / 2048 < 1024 ? 1024 : bytes / 2048;
  snprintf(inodes, sizeof(inodes), "%" PRIu64, wanted > 1U << 22 ? 1U << 22 : wanted);
  snprintf(permissions, sizeof(permissions), "%o", mode);
  const struct bh_option options[] = {{"size", size}, {"nr_inodes", inodes}, {"mode", permissions}, {NULL, NULL}};
  return bh_mount_new("tmpfs", options, attributes, failure);
}

int bh_mount_copy(const char *source, uint64_t attributes, int map, struct bh_failure *failure) {
  const int at = bh_openat2(AT_FDCWD, source, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
  if (at == -ENOENT) return at;
  if (at < 0) return bh_fail_at(failure, at, "bind source", "%s", source);
  const int tree = bh_open_tree(at, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
  close(at);
  if (tree < 0) return bh_fail_at(failure, tree, "open_tree", "%s", source);
  struct mount_attr attr = {.attr_set = attributes, .propagation = MS_PRIVATE};
  if (map >= 0) {
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = (uint64_t)map;
  }
  const int result = bh_mount_setattr(tree, AT_RECURSIVE, &attr);
  if (result < 0) return give_up(tree, bh_fail_at(failure, result, map >= 0 ? "mount idmap" : "mount_setattr", "%s", source));
  return tree;
}

int bh_mount_set(int mount, uint64_t attributes, struct bh_failure *failure, const char *what) {
  struct mount_attr attr = {.attr_set = attributes};
  const int result = bh_mount_setattr(mount, 0, &attr);
  return result < 0 ? bh_fail_at(failure, result, "mount_setattr", "%s", what) : 0;
}

int bh_mount_attach(int mount, int at, struct bh_failure *failure, const char *what) {
  const int result = bh_move_mount(mount, at, "", MOVE_MOUNT_T_EMPTY_PATH);
  return result < 0 ? bh_fail_at(failure, result, "move_mount", "%s", what) : 0;
}

int bh_id_map(struct bh_identity owner, struct bh_identity agent, struct bh_failure *failure) {
  int pidfd = -1;
  const int pid = bh_clone(CLONE_NEWUSER, &pidfd);
  if (pid < 0) return bh_fail(failure, pid, "clone3 id map");
  if (pid == 0) {
    bh_die_with_parent(SIGKILL, 0);
    for (;;) pause();
  }
  int result = bh_map_identity(pid, owner, agent, failure);
  if (result == 0) {
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    result = open(path, O_RDONLY | O_CLOEXEC);
    if (result < 0) result = bh_fail(failure, errno, "open id map");
  }
  bh_pidfd_signal(pidfd, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
  close(pidfd);
  return result;
}

#define MAPS 8

struct maps {
  struct bh_identity owner[MAPS];
  int descriptor[MAPS];
  size_t count;
};

static int map_for(struct maps *maps, struct bh_identity owner, struct bh_identity agent, struct bh_failure *failure) {
  for (size_t i = 0; i < maps->count; i++) {
    if (maps->owner[i].uid == owner.uid && maps->owner[i].gid == owner.gid) return maps->descriptor[i];
  }
  if (maps->count == MAPS) return bh_fail(failure, E2BIG, "id maps");
  const int map = bh_id_map(owner, agent, failure);
  if (map < 0) return map;
  maps->owner[maps->count] = owner;
  maps->descriptor[maps->count++] = map;
  return map;
}

static int prepare(struct bh_spec *spec, struct maps *maps, struct bh_failure *failure) {
  for (uint32_t i = 0; i < spec->entry_count; i++) {
    struct bh_view_entry *entry = &spec->entries[i];
    if (entry->kind != BH_BIND) continue;
    int map = -1;
    if (entry->owned) {
      map = map_for(maps, entry->owner, spec->outside, failure);
      if (map < 0) return map;
    }
    const uint64_t attributes = BH_MOUNT_ATTRIBUTES_PLAIN | (entry->writable ? 0 : MOUNT_ATTR_RDONLY);
    entry->tree = bh_mount_copy(entry->text, attributes, map, failure);
    entry->missing = entry->tree == -ENOENT;
    if (entry->missing && entry->optional) continue;
    if (entry->missing) return bh_fail_at(failure, ENOENT, "bind source", "%s", entry->text);
    if (entry->tree < 0) return entry->tree;
  }
  return 0;
}

int bh_mounts_prepare(struct bh_spec *spec, struct bh_failure *failure) {
  struct maps maps = {.count = 0};
  const int result = prepare(spec, &maps, failure);
  for (size_t i = 0; i < maps.count; i++) close(maps.descriptor[i]);
  return result;
}
