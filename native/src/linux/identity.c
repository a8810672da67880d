#include "identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kernel.h"

static int write_proc(pid_t child, const char *name, const char *text, struct bh_fault *fault) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/%s", child, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return bh_fault(fault, 0, "open", path);
  const ssize_t n = write(fd, text, strlen(text));
  const int code = n < 0 ? errno : 0;
  close(fd);
  return n < 0 ? bh_fault(fault, code, "write", path) : 0;
}

int bh_map_ids(pid_t child, uint32_t inside_uid, uint32_t outside_uid, uint32_t inside_gid, uint32_t outside_gid, struct bh_fault *fault) {
  char uids[48], gids[48];
  snprintf(uids, sizeof(uids), "%u %u 1", inside_uid, outside_uid);
  snprintf(gids, sizeof(gids), "%u %u 1", inside_gid, outside_gid);
  if (write_proc(child, "setgroups", "deny", fault) < 0) return -1;
  if (write_proc(child, "uid_map", uids, fault) < 0) return -1;
  return write_proc(child, "gid_map", gids, fault);
}

/*
 * A user namespace that exists only as the map of a mount. Its process is told to end when this returns and is not waited for, which would
 * cost more than all mounts together; the descriptor keeps the namespace.
 */
static int map_namespace(const struct bh_entry *entry, uint32_t uid, uint32_t gid, struct bh_fault *fault) {
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  const pid_t parent = getpid();
  const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (getppid() == parent) pause();
    _exit(0);
  }
  if (child < 0) return bh_fault(fault, 0, "clone3 of a mapping namespace", NULL);
  int fd = -1;
  if (bh_map_ids(child, entry->owner_uid, uid, entry->owner_gid, gid, fault) == 0) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) bh_fault(fault, 0, "open", path);
  }
  kill(child, SIGKILL);
  return fd;
}

static int mapping_for(struct bh_mapping *mapping, const struct bh_entry *entry, uint32_t uid, uint32_t gid, struct bh_fault *fault) {
  if (mapping->descriptor >= 0 && mapping->uid == entry->owner_uid && mapping->gid == entry->owner_gid) return 0;
  bh_mapping_close(mapping);
  mapping->descriptor = map_namespace(entry, uid, gid, fault);
  mapping->uid = entry->owner_uid;
  mapping->gid = entry->owner_gid;
  return mapping->descriptor < 0 ? -1 : 0;
}

void bh_mapping_close(struct bh_mapping *mapping) {
  if (mapping->descriptor >= 0) close(mapping->descriptor);
  mapping->descriptor = -1;
}

int bh_mapped_mount(struct bh_entry *entry, struct bh_mapping *mapping, uint32_t uid, uint32_t gid, struct bh_fault *fault) {
  const int tree = bh_copy_mount(entry->text, false);
  if (tree < 0) {
    if (errno == ENOENT && entry->optional) return 0;
    return bh_fault(fault, 0, "open_tree", entry->text);
  }
  if (mapping_for(mapping, entry, uid, gid, fault) < 0) {
    close(tree);
    return -1;
  }
  /* Private: where the host's mount is shared (systemd's default) what is mounted below this copy would appear on the host, and stay. */
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE, .userns_fd = (uint64_t)mapping->descriptor};
  if (bh_mount_setattr(tree, 0, &attributes) < 0) {
    const int code = errno;
    close(tree);
    return bh_fault(fault, code, "idmapped mount of", entry->text);
  }
  entry->mount = tree;
  return 0;
}

int bh_keep_few_capabilities(struct bh_fault *fault) {
  if (geteuid() != 0) return 0;
  /* To end it, to read the arguments of its calls, and to follow paths in its directories. */
  const uint32_t kept = 1u << CAP_KILL | 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_READ_SEARCH;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return bh_fault(fault, 0, "capget", NULL);
  data[0].permitted &= kept;
  data[1].permitted = 0;
  for (int i = 0; i < 2; i++) {
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  return syscall(SYS_capset, &header, data) < 0 ? bh_fault(fault, 0, "capset", NULL) : 0;
}

int bh_become(uint32_t uid, uint32_t gid, struct bh_fault *fault) {
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return bh_fault(fault, 0, "prctl PR_SET_KEEPCAPS", NULL);
  if (syscall(SYS_setresgid, gid, gid, gid) < 0) return bh_fault(fault, 0, "setresgid", NULL);
  if (syscall(SYS_setresuid, uid, uid, uid) < 0) return bh_fault(fault, 0, "setresuid", NULL);
  /* KEEPCAPS keeps the permitted set only. */
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return bh_fault(fault, 0, "capget", NULL);
  data[0].effective = data[0].permitted;
  data[1].effective = data[1].permitted;
  if (syscall(SYS_capset, &header, data) < 0) return bh_fault(fault, 0, "capset", NULL);
  return 0;
}

int bh_drop_capabilities(struct bh_fault *fault) {
  for (int capability = 0; capability < 64; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break; /* past the last capability of this kernel */
    return bh_fault(fault, 0, "prctl PR_CAPBSET_DROP", NULL);
  }
  const unsigned long bits = SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT |
                             SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) return bh_fault(fault, 0, "prctl PR_SET_SECUREBITS", NULL);
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return bh_fault(fault, 0, "prctl PR_CAP_AMBIENT", NULL);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}, {0}};
  if (syscall(SYS_capset, &header, none) < 0) return bh_fault(fault, 0, "capset", NULL);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return bh_fault(fault, 0, "prctl PR_SET_NO_NEW_PRIVS", NULL);
  return 0;
}
