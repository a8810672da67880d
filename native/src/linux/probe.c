#include "probe.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bulkhead.h"
#include "identity.h"
#include "kernel.h"
#include "landlock.h"
#include "loopback.h"

struct answer {
  bool ok;
  uint32_t level;
  struct bh_fault fault;
};

/* Runs `act` in a child with new namespaces and mapped ids; the child's fault comes back through a pipe. */
static void in_namespaces(struct answer *answer, uint64_t flags, int (*act)(struct bh_fault *)) {
  int go[2], back[2];
  if (pipe(go) < 0 || pipe(back) < 0) {
    bh_fault(&answer->fault, 0, "pipe", NULL);
    return;
  }
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* for the id maps */
  struct clone_args args = {.flags = CLONE_NEWUSER | flags, .exit_signal = SIGCHLD};
  const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
  if (child < 0) {
    bh_fault(&answer->fault, 0, "clone3", NULL);
    return;
  }
  if (child == 0) {
    char byte;
    struct bh_fault fault = {0};
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(1);
    if (act(&fault) == 0) fault.code = 0;
    _exit(write(back[1], &fault, sizeof(fault)) == (ssize_t)sizeof(fault) ? 0 : 1);
  }
  close(back[1]);
  const bool root = geteuid() == 0;
  /* Root must not be mapped: any other identity shows that mapping works. */
  const uint32_t uid = root ? 0x70000000u : geteuid(), gid = root ? 0x70000000u : getegid();
  if (bh_map_ids(child, 1000, uid, 1000, gid, &answer->fault) == 0 && write(go[1], "g", 1) == 1) {
    if (read(back[0], &answer->fault, sizeof(answer->fault)) != (ssize_t)sizeof(answer->fault)) {
      bh_fault(&answer->fault, EIO, "probe", NULL);
    }
    answer->ok = answer->fault.code == 0;
  }
  close(go[1]);
  waitpid(child, NULL, 0);
}

static int nothing(struct bh_fault *fault) {
  (void)fault;
  return 0;
}

static int mounts(struct bh_fault *fault) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return bh_fault(fault, 0, "making mounts private", NULL);
  const int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return bh_fault(fault, 0, "fsopen", "tmpfs");
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return bh_fault(fault, 0, "fsconfig", "tmpfs");
  const int tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
  if (tree < 0) return bh_fault(fault, 0, "fsmount", "tmpfs");
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  if (bh_mount_setattr(tree, 0, &attributes) < 0) return bh_fault(fault, 0, "mount_setattr", NULL);
  const int root = open("/", O_PATH | O_CLOEXEC);
  if (root < 0 || bh_move_mount(tree, root) < 0) return bh_fault(fault, 0, "move_mount", NULL);
  /* A private /proc is refused where the host's own is partly covered, as in many containers. */
  const int proc = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
  if (proc < 0 || syscall(SYS_fsconfig, proc, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return bh_fault(fault, 0, "new /proc", NULL);
  if (syscall(SYS_fsmount, proc, FSMOUNT_CLOEXEC, 0) < 0) return bh_fault(fault, 0, "new /proc", NULL);
  return 0;
}

static int any_address(struct bh_fault *fault) {
  if (bh_loopback_up(fault) < 0) return -1;
  return bh_loopback_all(fault);
}

static void idmapped(struct answer *answer) {
  if (geteuid() != 0) {
    bh_fault(&answer->fault, EPERM, "idmapped mounts need root", NULL);
    return;
  }
  char here[] = "/";
  struct bh_entry entry = {.kind = BH_BIND, .text = here, .mapped = true, .mount = -1};
  struct bh_mapping mapping = {.descriptor = -1};
  answer->ok = bh_mapped_mount(&entry, &mapping, 0x70000000u, 0x70000000u, &answer->fault) == 0;
}

static void answer_for(const char *feature, struct answer *answer) {
  if (strcmp(feature, "user-namespace") == 0) {
    in_namespaces(answer, CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP, nothing);
  } else if (strcmp(feature, "mount-namespace") == 0) {
    in_namespaces(answer, CLONE_NEWPID | CLONE_NEWNS, mounts);
  } else if (strcmp(feature, "network-namespace") == 0) {
    in_namespaces(answer, CLONE_NEWNET, bh_loopback_up);
  } else if (strcmp(feature, "any-address") == 0) {
    in_namespaces(answer, CLONE_NEWNET, any_address);
  } else if (strcmp(feature, "landlock") == 0) {
    answer->level = (uint32_t)bh_landlock_abi();
    answer->ok = answer->level > 0;
    if (!answer->ok) bh_fault(&answer->fault, 0, "landlock_create_ruleset", NULL);
  } else if (strcmp(feature, "seccomp-notify") == 0) {
    const uint32_t action = SECCOMP_RET_USER_NOTIF;
    answer->ok = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    if (!answer->ok) bh_fault(&answer->fault, 0, "seccomp user notification", NULL);
  } else if (strcmp(feature, "idmapped-mount") == 0) {
    idmapped(answer);
  } else {
    bh_fault(&answer->fault, EINVAL, "unknown feature", NULL);
  }
}

void bh_probe(struct bh_reader *body, int channel) {
  struct answer answer = {0};
  char *feature = bh_read_text(body);
  if (feature) answer_for(feature, &answer);
  free(feature);
  char reason[256] = "";
  if (!answer.ok) snprintf(reason, sizeof(reason), "%s: %s", answer.fault.operation, strerror(answer.fault.code));
  struct bh_writer w;
  bh_begin(&w, BH_ANSWER);
  bh_write_u8(&w, answer.ok ? 1 : 0);
  bh_write_u32(&w, answer.level);
  bh_write_text(&w, reason);
  bh_send(&w, channel);
}
