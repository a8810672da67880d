#include "inside.h"

#include <errno.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bulkhead.h"
#include "identity.h"
#include "kernel.h"
#include "landlock.h"
#include "loopback.h"
#include "trial.h"
#include "view.h"

_Noreturn static void give_up(int control, const struct bh_fault *fault) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, (uint32_t)fault->code);
  bh_write_text(&w, fault->operation);
  bh_send(&w, control);
  _exit(125);
}

/* One byte of type with descriptors. */
static int send_with(int control, uint8_t type, uint8_t flags, const int *fds, size_t count) {
  const uint8_t frame[] = {2, 0, 0, 0, type, flags};
  return bh_send_fds(control, frame, sizeof(frame), fds, count);
}

static void await_maps(int control) {
  size_t length, count;
  uint8_t *payload = bh_receive(control, &length, NULL, 0, &count);
  if (!payload || payload[0] != BH_INNER_MAPPED) _exit(125); /* the supervisor has gone or failed and says why itself */
  free(payload);
}

/* Caps what the agent could use up of the whole machine through this user namespace. Kernels without the file lose nothing else. */
static void cap_namespaces(void) {
  static const char *const caps[][2] = {
      {"/proc/sys/user/max_user_namespaces", "0"}, {"/proc/sys/user/max_inotify_instances", "256"}, {"/proc/sys/user/max_inotify_watches", "262144"}};
  for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
    const int fd = open(caps[i][0], O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const ssize_t n = write(fd, caps[i][1], strlen(caps[i][1]));
    (void)n;
    close(fd);
  }
}

static int limit(int resource, uint64_t value, const char *name, struct bh_fault *fault) {
  struct rlimit limits;
  if (getrlimit((__rlimit_resource_t)resource, &limits) < 0) return bh_fault(fault, 0, "getrlimit", name);
  if (limits.rlim_max == RLIM_INFINITY || value < limits.rlim_max) limits.rlim_max = value;
  limits.rlim_cur = limits.rlim_max;
  return setrlimit((__rlimit_resource_t)resource, &limits) < 0 ? bh_fault(fault, 0, "setrlimit", name) : 0;
}

/* A new pseudo-terminal as controlling terminal and descriptors 0, 1, 2. Returns its master. */
static int open_terminal(const struct bh_spec *spec, struct bh_fault *fault) {
  const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return bh_fault(fault, 0, "open", "/dev/ptmx");
  const int unlock = 0;
  const struct winsize size = {.ws_col = (unsigned short)spec->columns, .ws_row = (unsigned short)spec->rows};
  if (ioctl(master, TIOCSPTLCK, &unlock) < 0) return bh_fault(fault, 0, "unlockpt", NULL);
  const int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return bh_fault(fault, 0, "opening the terminal", NULL);
  ioctl(master, TIOCSWINSZ, &size);
  if (ioctl(slave, TIOCSCTTY, 0) < 0) return bh_fault(fault, 0, "taking the terminal", NULL);
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(slave, fd) < 0) return bh_fault(fault, 0, "dup2", NULL);
  }
  return master;
}

static int take_stdio(const struct bh_inside *inside, struct bh_fault *fault) {
  int high[3];
  /* First out of the way of 0 to 2, which one of them may be. */
  for (int i = 0; i < 3; i++) {
    high[i] = fcntl(inside->stdio[i], F_DUPFD_CLOEXEC, 10);
    if (high[i] < 0) return bh_fault(fault, 0, "dup", NULL);
  }
  for (int i = 0; i < 3; i++) {
    if (dup2(high[i], i) < 0) return bh_fault(fault, 0, "dup2", NULL);
  }
  return 0;
}

/* execvp(3) without its fallback to a shell. Returns the most telling errno. */
static int execute(const struct bh_spec *spec) {
  const char *name = spec->argv[0];
  if (strchr(name, '/')) {
    execve(name, spec->argv, spec->environment);
    return errno;
  }
  const char *path = NULL;
  for (char **e = spec->environment; *e; e++) {
    if (strncmp(*e, "PATH=", 5) == 0) path = *e + 5;
  }
  int worst = ENOENT;
  while (path) {
    const char *end = strchrnul(path, ':');
    char file[4096];
    const int length = snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, name);
    if (end > path && length < (int)sizeof(file)) {
      execve(file, spec->argv, spec->environment);
      if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    }
    path = *end ? end + 1 : NULL;
  }
  return worst;
}

/* Tries what it is told to, until it is told to start or the supervisor is gone. */
static void hold(int control) {
  for (;;) {
    size_t length, count;
    uint8_t *payload = bh_receive(control, &length, NULL, 0, &count);
    if (!payload) _exit(125);
    const uint8_t type = payload[0];
    if (type == BH_ATTEMPT) {
      struct bh_reader r = {payload + 1, length - 1, false};
      struct bh_writer w;
      if (bh_try_all(&r, &w) < 0) _exit(125);
      bh_send(&w, control);
    }
    free(payload);
    if (type == BH_START) return;
  }
}

/* The process that becomes the agent: every restriction that cannot be undone, then the wait for the word. */
_Noreturn static void agent(const struct bh_inside *inside) {
  const struct bh_spec *spec = inside->spec;
  struct bh_fault fault;
  int control = inside->control, passed[3], master = -1, listener = -1;
  size_t count = 0;
  uint8_t flags = 0;

  /* As the program will be: otherwise the attempts meet files in /proc that belong to root for now. */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (setsid() < 0) bh_fault(&fault, 0, "setsid", NULL), give_up(control, &fault);
  if (spec->stdio == BH_STDIO_TERMINAL) {
    master = open_terminal(spec, &fault);
    if (master < 0) give_up(control, &fault);
  } else if (take_stdio(inside, &fault) < 0) {
    give_up(control, &fault);
  }
  passed[count++] = bh_pidfd_open(getpid());
  if (passed[0] < 0) bh_fault(&fault, 0, "pidfd_open", NULL), give_up(control, &fault);

  if (chdir(spec->directory) < 0) bh_fault(&fault, 0, "chdir", spec->directory), give_up(control, &fault);
  /* 1 and not 0, which a handler of core files does not heed: see bh_traces_install(). */
  if (limit(RLIMIT_CORE, 1, "core", &fault) < 0) give_up(control, &fault);
  if (spec->limits_files && limit(RLIMIT_NOFILE, spec->files, "open files", &fault) < 0) give_up(control, &fault);
  if (spec->limits_processes && limit(RLIMIT_NPROC, spec->processes + (spec->has_token ? 1 : 0), "processes", &fault) < 0) give_up(control, &fault);

  if (!spec->has_token && spec->has_interception && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    bh_fault(&fault, 0, "prctl PR_SET_NO_NEW_PRIVS", NULL);
    give_up(control, &fault);
  }
  if (spec->has_landlock && bh_landlock_restrict(spec, &fault) < 0) give_up(control, &fault);
  if (spec->has_token) {
    const char *operation;
    const int result = bh_traces_install(&operation);
    if (result < 0) bh_fault(&fault, -result, operation, NULL), give_up(control, &fault);
  }
  if (spec->has_interception) {
    const char *operation = "seccomp";
    const int result = bh_intercept_install(&spec->interception, &listener, &operation);
    if (result < 0) bh_fault(&fault, -result, operation, NULL), give_up(control, &fault);
  }
  if (listener >= 0) {
    passed[count++] = listener;
    flags |= BH_HELD_NOTIFY;
  }
  if (master >= 0) {
    passed[count++] = master;
    flags |= BH_HELD_TERMINAL;
  }
  if (send_with(control, BH_INNER_HELD, flags, passed, count) < 0) _exit(125);
  for (size_t i = 0; i < count; i++) close(passed[i]);

  /* Only 0, 1, 2 and the control socket stay; the socket closes itself at the exec, which tells the supervisor that it happened. */
  if (control != 3) {
    if (dup3(control, 3, O_CLOEXEC) < 0) _exit(125);
    control = 3;
  }
  if (syscall(SYS_close_range, 4, ~0u, 0) < 0) bh_fault(&fault, 0, "close_range", NULL), give_up(control, &fault);
  hold(control);

  /* The helper ignores most signals, and an ignored signal stays ignored across an exec: nothing could end the agent gently. */
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  const int reason = execute(spec);
  struct bh_writer w;
  bh_begin(&w, BH_EXEC_FAILED);
  bh_write_u32(&w, (uint32_t)reason);
  bh_send(&w, control);
  _exit(reason == ENOENT ? 127 : 126);
}

/* Waits for the agent and for every orphan that lands here; reports the agent's end and ends, which ends the pid namespace. */
_Noreturn static void reap(pid_t agent, int report) {
  for (;;) {
    int status;
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0 && errno != EINTR) _exit(125);
    if (pid != agent) continue;
    const ssize_t n = write(report, &status, sizeof(status));
    _exit(n == sizeof(status) ? 0 : 125);
  }
}

static int build(const struct bh_inside *inside, struct bh_fault *fault) {
  const struct bh_spec *spec = inside->spec;
  if (spec->has_token) {
    await_maps(inside->control);
    if (bh_become(spec->inside_uid, spec->inside_gid, fault) < 0) return -1;
    cap_namespaces();
  }
  /* After the change of identity, which clears it (prctl(2)). */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return bh_fault(fault, 0, "prctl PR_SET_PDEATHSIG", NULL);
  if (spec->has_view && bh_view_enter(spec, fault) < 0) return -1;
  if (spec->has_network) {
    int fds[BH_LISTENERS_MAX];
    if (bh_loopback_up(fault) < 0) return -1;
    if (spec->any_address && bh_loopback_all(fault) < 0) return -1;
    if (bh_listen(spec, fds, fault) < 0) return -1;
    if (spec->listener_count > 0 && send_with(inside->control, BH_INNER_LISTENERS, 0, fds, spec->listener_count) < 0) _exit(125);
    for (size_t i = 0; i < spec->listener_count; i++) close(fds[i]);
  }
  if (spec->has_token) {
    if (sethostname(spec->hostname, strlen(spec->hostname)) < 0) return bh_fault(fault, 0, "sethostname", NULL);
    /* A session keyring of its own; a kernel without keyrings has nothing to leak. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS) return bh_fault(fault, 0, "keyctl", NULL);
  }
  return 0;
}

_Noreturn void bh_inside(const struct bh_inside *inside) {
  struct bh_fault fault;
  if (build(inside, &fault) < 0) give_up(inside->control, &fault);
  /* Before the agent exists: it must never meet a first process that it could trace or that has a capability. */
  if (inside->spec->has_token && bh_drop_capabilities(&fault) < 0) give_up(inside->control, &fault);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const pid_t child = fork();
  if (child < 0) bh_fault(&fault, 0, "fork", NULL), give_up(inside->control, &fault);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    close(inside->report);
    agent(inside);
  }
  /* Keep nothing that the agent could be after: one pipe that says how it ended. */
  const int report = inside->report;
  if (report != 3 && dup3(report, 3, O_CLOEXEC) < 0) _exit(125);
  syscall(SYS_close_range, 4, ~0u, 0);
  for (int fd = 0; fd < 3; fd++) close(fd);
  reap(child, 3);
}
