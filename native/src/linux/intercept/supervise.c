#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../intercept.h"
#include "agent.h"
#include "numbers.h"
#include "object.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define EVENT_BURST 256.0
#define EVENTS_PER_SECOND 100.0

/* A newer kernel may know longer structures (SECCOMP_GET_NOTIF_SIZES); it writes no more than its own size. */
union notification {
  struct seccomp_notif request;
  unsigned char room[512];
};
union answer {
  struct seccomp_notif_resp response;
  unsigned char room[512];
};

/* What to do with one call: let the kernel carry it out (error 0), fail it, or end the sandbox. */
struct decision {
  int error;
  const struct bh_intercept_rule *rule; /* NULL: nothing to report */
  const char *object;
};

static uint64_t monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int bh_supervisor_open(struct bh_supervisor *supervisor, const struct bh_interception *interception, int listener) {
  memset(supervisor, 0, sizeof(*supervisor));
  supervisor->interception = interception;
  supervisor->listener = listener;
  supervisor->root = -1;
  supervisor->tokens = EVENT_BURST;
  supervisor->refilled = monotonic();

  struct seccomp_notif_sizes sizes;
  if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) return -errno;
  if (sizes.seccomp_notif > sizeof(union notification) || sizes.seccomp_notif_resp > sizeof(union answer)) return -E2BIG;
  /* Not there before 6.6: slower, not weaker. */
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  return 0;
}

void bh_supervisor_hold(struct bh_supervisor *supervisor, bool held) { supervisor->held = held; }

void bh_supervisor_close(struct bh_supervisor *supervisor) {
  if (supervisor->listener >= 0) close(supervisor->listener);
  if (supervisor->root >= 0) close(supervisor->root);
  supervisor->listener = -1;
  supervisor->root = -1;
}

static bool has_strict_rule(const struct bh_supervisor *supervisor, enum bh_act act) {
  for (size_t i = 0; i < supervisor->interception->count; i++) {
    const struct bh_intercept_rule *rule = &supervisor->interception->rules[i];
    if (rule->act == act && rule->action != BH_ACTION_ALLOW) return true;
  }
  return false;
}

/* `allow` needs the real object; `deny` and `kill` take either spelling, so that a link does not help in either direction. */
static struct decision judge(const struct bh_supervisor *supervisor, enum bh_act act, const struct bh_object *object) {
  if (strcmp(object->named, BH_PROBE_PATH) == 0 || strcmp(object->named, "@" BH_PROBE_SOCKET) == 0) {
    return (struct decision){.error = EACCES};
  }
  if (supervisor->held) return (struct decision){0};
  for (size_t i = 0; i < supervisor->interception->count; i++) {
    const struct bh_intercept_rule *rule = &supervisor->interception->rules[i];
    if (rule->act != act) continue;
    const char *matched = NULL;
    if (bh_glob_match(rule->match, object->real)) {
      matched = object->real;
    } else if (rule->action != BH_ACTION_ALLOW && bh_glob_match(rule->match, object->named)) {
      matched = object->named;
    }
    if (matched == NULL) continue;
    /* A shell looks for a program in every directory of PATH: what is not there is no news. */
    if (rule->action == BH_ACTION_ALLOW && act == BH_ACT_PROCESS_EXEC && object->missing) return (struct decision){0};
    return (struct decision){.error = rule->action == BH_ACTION_ALLOW ? 0 : EACCES, .rule = rule, .object = matched};
  }
  return (struct decision){0};
}

/* When the object could not be read: what the kernel itself would answer, else refuse where a rule might have applied. */
static struct decision unread(const struct bh_supervisor *supervisor, enum bh_act act, int error) {
  switch (-error) {
    case ENOMSG: return (struct decision){0};
    case EFAULT:
    case ENAMETOOLONG:
    case ENOENT:
    case EINVAL:
    case EBADF: return (struct decision){.error = -error};
    default: return (struct decision){.error = has_strict_rule(supervisor, act) ? EACCES : 0};
  }
}

static void emit_event(struct bh_supervisor *supervisor, const struct decision *decision, pid_t pid, bh_intercept_emit *emit,
                       void *context) {
  const uint64_t now = monotonic();
  supervisor->tokens += (double)(now - supervisor->refilled) * (EVENTS_PER_SECOND / 1e9);
  if (supervisor->tokens > EVENT_BURST) supervisor->tokens = EVENT_BURST;
  supervisor->refilled = now;
  if (supervisor->tokens < 1 && decision->rule->action != BH_ACTION_KILL) {
    if (supervisor->lost < UINT32_MAX) supervisor->lost++;
    return;
  }
  supervisor->tokens -= 1;

  struct bh_intercept_event *event = &supervisor->event;
  event->rule = decision->rule->id;
  event->act = decision->rule->act;
  event->action = decision->rule->action;
  event->pid = bh_agent_inner_pid(pid);
  event->lost = supervisor->lost;
  bh_agent_program(pid, event->program);
  snprintf(event->object, sizeof(event->object), "%.*s", (int)sizeof(event->object) - 1, decision->object);
  supervisor->lost = 0;
  emit(context, event);
}

static bool still_waiting(const struct bh_supervisor *supervisor, uint64_t id) {
  return ioctl(supervisor->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void answer(const struct bh_supervisor *supervisor, uint64_t id, int error) {
  union answer reply;
  memset(&reply, 0, sizeof(reply));
  reply.response.id = id;
  reply.response.error = -error;
  reply.response.flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
  /* ENOENT: the call was given up meanwhile (a signal, the process died). */
  ioctl(supervisor->listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/* One object of a call, as its arguments name it. */
struct operand {
  enum { NOTHING, PATH, DESCRIPTOR, ADDRESS } kind;
  int directory;
  uint64_t at;
  uint32_t length;
  bool empty; /* AT_EMPTY_PATH, or AF_UNSPEC means AF_INET */
  enum bh_follow follow;
};

struct act {
  enum bh_act act;
  struct operand operands[2];
};

static struct operand path_at(uint64_t directory, uint64_t at, uint64_t flags, enum bh_follow follow) {
  if ((flags & AT_SYMLINK_NOFOLLOW) != 0) follow = BH_FOLLOW_PARENT;
  return (struct operand){.kind = PATH, .directory = (int)directory, .at = at, .empty = (flags & AT_EMPTY_PATH) != 0, .follow = follow};
}

static struct operand path(uint64_t at, enum bh_follow follow) { return path_at((uint64_t)(int64_t)AT_FDCWD, at, 0, follow); }

static struct operand address(uint64_t at, uint64_t length, bool unspecified) {
  return (struct operand){.kind = ADDRESS, .at = at, .length = (uint32_t)length, .empty = unspecified};
}

/* The filter sees only the address of openat2's flags. */
static struct operand open_how(pid_t pid, const uint64_t *args) {
  uint64_t flags;
  struct operand operand = path_at(args[0], args[1], 0, BH_FOLLOW);
  if (args[3] < sizeof(struct open_how) || bh_agent_bytes(pid, args[2], &flags, sizeof(flags)) < 0) return operand;
  if ((flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == 0) operand.kind = NOTHING;
  if ((flags & O_NOFOLLOW) != 0) operand.follow = BH_FOLLOW_PARENT;
  return operand;
}

static enum bh_follow follows(uint64_t flags) { return (flags & O_NOFOLLOW) != 0 ? BH_FOLLOW_PARENT : BH_FOLLOW; }

static struct act describe(pid_t pid, const struct seccomp_data *data) {
  const __u64 *raw = data->args;
  const uint64_t a[6] = {raw[0], raw[1], raw[2], raw[3], raw[4], raw[5]};
  switch (data->nr) {
    case SYS_execve: return (struct act){BH_ACT_PROCESS_EXEC, {path(a[0], BH_FOLLOW)}};
    case SYS_execveat: return (struct act){BH_ACT_PROCESS_EXEC, {path_at(a[0], a[1], a[4], BH_FOLLOW)}};
    case SYS_unlinkat: return (struct act){BH_ACT_FILE_DELETE, {path_at(a[0], a[1], 0, BH_FOLLOW_PARENT)}};
    case SYS_renameat:
    case SYS_renameat2:
      return (struct act){BH_ACT_FILE_RENAME, {path_at(a[0], a[1], 0, BH_FOLLOW_PARENT), path_at(a[2], a[3], 0, BH_FOLLOW_PARENT)}};
    case SYS_fchmod: return (struct act){BH_ACT_FILE_CHMOD, {{.kind = DESCRIPTOR, .directory = (int)a[0]}}};
    case SYS_fchmodat: return (struct act){BH_ACT_FILE_CHMOD, {path_at(a[0], a[1], 0, BH_FOLLOW)}};
    case SYS_fchmodat2: return (struct act){BH_ACT_FILE_CHMOD, {path_at(a[0], a[1], a[3], BH_FOLLOW)}};
    case SYS_truncate: return (struct act){BH_ACT_FILE_WRITE, {path(a[0], BH_FOLLOW)}};
    case SYS_openat: return (struct act){BH_ACT_FILE_WRITE, {path_at(a[0], a[1], 0, follows(a[2]))}};
    case SYS_openat2: return (struct act){BH_ACT_FILE_WRITE, {open_how(pid, a)}};
    case SYS_connect: return (struct act){BH_ACT_NET_CONNECT, {address(a[1], a[2], false)}};
    case SYS_sendto: return (struct act){BH_ACT_NET_CONNECT, {address(a[4], a[5], true)}};
    case SYS_bind: return (struct act){BH_ACT_NET_BIND, {address(a[1], a[2], true)}};
#ifdef __x86_64__
    case SYS_unlink:
    case SYS_rmdir: return (struct act){BH_ACT_FILE_DELETE, {path(a[0], BH_FOLLOW_PARENT)}};
    case SYS_rename: return (struct act){BH_ACT_FILE_RENAME, {path(a[0], BH_FOLLOW_PARENT), path(a[1], BH_FOLLOW_PARENT)}};
    case SYS_chmod: return (struct act){BH_ACT_FILE_CHMOD, {path(a[0], BH_FOLLOW)}};
    case SYS_creat: return (struct act){BH_ACT_FILE_WRITE, {path(a[0], BH_FOLLOW)}};
    case SYS_open: return (struct act){BH_ACT_FILE_WRITE, {path_at((uint64_t)(int64_t)AT_FDCWD, a[0], 0, follows(a[1]))}};
#endif
    default: return (struct act){BH_ACT_COUNT, {{.kind = NOTHING}}};
  }
}

static int read_operand(const struct bh_supervisor *supervisor, pid_t pid, const struct operand *operand, struct bh_object *object) {
  switch (operand->kind) {
    case PATH:
      return bh_object_path(object, pid, supervisor->root, operand->directory, operand->at, operand->empty, operand->follow);
    case DESCRIPTOR: return bh_object_descriptor(object, pid, operand->directory);
    case ADDRESS: return bh_object_address(object, pid, supervisor->root, operand->at, operand->length, operand->empty);
    case NOTHING: break;
  }
  return -ENOMSG;
}

enum bh_served bh_intercept_serve(struct bh_supervisor *supervisor, bh_intercept_emit *emit, void *context, uint32_t *rule) {
  /* RECV waits when there is nothing; what poll has seen it returns at once (or ENOENT, when the caller died in between). */
  struct pollfd ready = {.fd = supervisor->listener, .events = POLLIN};
  if (poll(&ready, 1, 0) < 0) return errno == EINTR ? BH_SERVED : BH_SERVED_GONE;
  if ((ready.revents & POLLIN) == 0) return ready.revents != 0 ? BH_SERVED_GONE : BH_SERVED;

  union notification notification;
  memset(&notification, 0, sizeof(notification));
  if (ioctl(supervisor->listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0) {
    return errno == ENOENT || errno == EINTR || errno == EAGAIN ? BH_SERVED : BH_SERVED_GONE;
  }
  const struct seccomp_notif *request = &notification.request;
  const pid_t pid = (pid_t)request->pid;

  /* chroot, pivot_root, mounts and namespaces are refused behind this filter, so one root serves for the sandbox's whole life. */
  if (supervisor->root < 0) {
    const int root = bh_agent_root(pid);
    if (root >= 0 && still_waiting(supervisor, request->id)) {
      supervisor->root = root;
    } else if (root >= 0) {
      close(root);
    }
  }

  const struct act act = describe(pid, &request->data);
  struct decision last = {0};
  struct bh_object object;
  for (size_t i = 0; i < 2 && act.operands[i].kind != NOTHING && last.error == 0; i++) {
    const int got = read_operand(supervisor, pid, &act.operands[i], &object);
    last = got < 0 ? unread(supervisor, act.act, got) : judge(supervisor, act.act, &object);
    /* What was read belongs to this caller only if it has waited all the time: its pid may be somebody else's by now. */
    if (!still_waiting(supervisor, request->id)) return BH_SERVED;
    if (last.rule != NULL) emit_event(supervisor, &last, pid, emit, context);
  }
  if (last.rule != NULL && last.rule->action == BH_ACTION_KILL) {
    *rule = last.rule->id;
    return BH_SERVED_KILL;
  }
  answer(supervisor, request->id, last.error);
  return BH_SERVED;
}
