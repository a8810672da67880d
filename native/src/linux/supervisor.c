#include "supervisor.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bulkhead.h"
#include "identity.h"
#include "inside.h"
#include "kernel.h"
#include "process.h"
#include "spec.h"
#include "terminal.h"

struct supervised {
  struct bh_spec spec;
  const int *fds;
  int control, report; /* our ends */
  int first_pidfd, agent_pidfd, notify, told; /* told: signalfd, SIGTERM means that the helper is gone */
  pid_t first;
  uint32_t listeners;
  bool told_to_start, started, killed, in_terminal, deaf;
  int rule; /* of the kill; -1 */
  struct bh_supervisor answers;
  struct bh_terminal terminal;
};

static void tell(struct supervised *s, struct bh_writer *w) {
  /* An orchestrator that is gone hears nothing; its end of file on the channel ends us. */
  (void)bh_send(w, s->fds[BH_FD_CHANNEL]);
}

static void tell_fault(struct supervised *s, const struct bh_fault *fault) {
  struct bh_writer w;
  bh_begin(&w, BH_ERROR);
  bh_write_u32(&w, (uint32_t)fault->code);
  bh_write_text(&w, fault->operation);
  tell(s, &w);
}

static void end_sandbox(struct supervised *s) {
  s->killed = true;
  if (s->first_pidfd >= 0) bh_pidfd_send_signal(s->first_pidfd, SIGKILL, 0);
}

static void intercepted(void *context, const struct bh_intercept_event *event) {
  struct bh_writer w;
  bh_begin(&w, BH_INTERCEPTED);
  bh_write_u32(&w, event->rule);
  bh_write_text(&w, bh_act_name(event->act));
  bh_write_text(&w, bh_action_name(event->action));
  bh_write_u32(&w, (uint32_t)event->pid);
  bh_write_u32(&w, event->lost);
  bh_write_text(&w, event->program);
  bh_write_text(&w, event->object);
  tell(context, &w);
}

static void serve_notification(struct supervised *s) {
  uint32_t rule = 0;
  switch (bh_intercept_serve(&s->answers, intercepted, s, &rule)) {
    case BH_SERVED:
      break;
    case BH_SERVED_KILL:
      s->rule = (int)rule;
      end_sandbox(s);
      break;
    case BH_SERVED_GONE:
      bh_supervisor_close(&s->answers);
      s->notify = -1;
      break;
  }
}

/* The whole process group of the agent, as a terminal would do it. */
static void signal_agent(struct supervised *s, uint32_t number) {
  if (!s->started || s->agent_pidfd < 0 || number == 0 || number > 64) return;
  if (bh_pidfd_send_signal(s->agent_pidfd, (int)number, PIDFD_SIGNAL_PROCESS_GROUP) == 0) return;
  const pid_t agent = bh_pidfd_pid(s->agent_pidfd); /* before Linux 6.9 */
  if (agent > 1) kill(-agent, (int)number);
}

static void obey(struct supervised *s) {
  size_t length, count;
  uint8_t *payload = bh_receive(s->fds[BH_FD_CHANNEL], &length, NULL, 0, &count);
  if (!payload) {
    s->deaf = true;
    end_sandbox(s);
    return;
  }
  struct bh_reader r = {payload + 1, length - 1, false};
  switch (payload[0]) {
    case BH_ATTEMPT:
    case BH_START: {
      struct bh_writer w;
      bh_begin(&w, payload[0]);
      bh_write_bytes(&w, payload + 1, length - 1);
      if (payload[0] == BH_START) {
        s->told_to_start = true;
        if (s->notify >= 0) bh_supervisor_hold(&s->answers, false);
      }
      if (s->control >= 0) bh_send(&w, s->control);
      break;
    }
    case BH_SIGNAL:
      signal_agent(s, bh_read_u32(&r));
      break;
    case BH_RESIZE: {
      const uint32_t columns = bh_read_u32(&r), rows = bh_read_u32(&r);
      if (s->in_terminal) bh_terminal_resize(&s->terminal, columns, rows);
      break;
    }
    default: /* BH_KILL, and anything we do not know */
      end_sandbox(s);
  }
  free(payload);
}

static void tell_held(struct supervised *s) {
  char start[32];
  struct bh_writer w;
  bh_start_time(s->first, start, sizeof(start));
  bh_begin(&w, BH_HELD);
  bh_write_u32(&w, (uint32_t)s->first);
  bh_write_text(&w, start);
  bh_write_u32(&w, s->listeners);
  tell(s, &w);
}

static void held(struct supervised *s, uint8_t flags, const int *fds, size_t count) {
  const size_t expected = 1 + ((flags & BH_HELD_NOTIFY) ? 1 : 0) + ((flags & BH_HELD_TERMINAL) ? 1 : 0);
  if (count != expected) {
    end_sandbox(s);
    return;
  }
  size_t next = 0;
  s->agent_pidfd = fds[next++];
  if (flags & BH_HELD_NOTIFY) {
    s->notify = fds[next++];
    if (bh_supervisor_open(&s->answers, &s->spec.interception, s->notify) < 0) {
      s->notify = -1;
      end_sandbox(s);
      return;
    }
    /* A rule must not answer in the place of the wall that is under test. */
    bh_supervisor_hold(&s->answers, true);
  }
  if (flags & BH_HELD_TERMINAL) {
    bh_terminal_open(&s->terminal, s->fds[BH_FD_STDIN], s->fds[BH_FD_STDOUT], fds[next++]);
    s->in_terminal = true;
  }
  tell_held(s);
}

/* What the sandbox itself says while it is built and held. Its end of file means that the command was executed. */
static void hear(struct supervised *s) {
  int fds[BH_LISTENERS_MAX];
  size_t length, count;
  uint8_t *payload = bh_receive(s->control, &length, fds, BH_LISTENERS_MAX, &count);
  if (!payload) {
    close(s->control);
    s->control = -1;
    /* The command may have ended already: whether its process still exists says nothing. */
    if (s->told_to_start && (!s->killed || s->rule >= 0)) {
      s->started = true;
      struct bh_writer w;
      bh_begin(&w, BH_STARTED);
      tell(s, &w);
    }
    return;
  }
  switch (payload[0]) {
    case BH_INNER_LISTENERS: {
      const uint8_t byte = 0;
      s->listeners = (uint32_t)count;
      bh_send_fds(s->fds[BH_FD_DESCRIPTORS], &byte, 1, fds, count);
      while (count > 0) close(fds[--count]);
      break;
    }
    case BH_INNER_HELD:
      held(s, length > 1 ? payload[1] : 0, fds, count);
      break;
    case BH_ERROR:
    case BH_EXEC_FAILED:
      s->killed = true; /* it ends by itself; its end of file is not a start */
      /* fall through */
    default: {
      struct bh_writer w;
      bh_begin(&w, payload[0]);
      bh_write_bytes(&w, payload + 1, length - 1);
      tell(s, &w);
    }
  }
  free(payload);
}

static void serve(struct supervised *s) {
  for (;;) {
    struct pollfd polls[8] = {
        {.fd = s->first_pidfd, .events = POLLIN},
        {.fd = s->deaf ? -1 : s->fds[BH_FD_CHANNEL], .events = POLLIN},
        {.fd = s->control, .events = POLLIN},
        {.fd = s->notify, .events = POLLIN},
        {.fd = -1},
        {.fd = -1},
        {.fd = -1},
        {.fd = s->told, .events = POLLIN},
    };
    if (s->in_terminal) bh_terminal_poll(&s->terminal, polls + 4);
    if (poll(polls, 8, -1) < 0) {
      if (errno == EINTR) continue;
      end_sandbox(s);
      return;
    }
    if (polls[7].revents) {
      close(s->told);
      s->told = -1;
      end_sandbox(s);
    }
    if (polls[3].revents) serve_notification(s);
    if (polls[2].revents) hear(s);
    if (polls[1].revents) obey(s);
    if (s->in_terminal) bh_terminal_serve(&s->terminal, polls + 4);
    if (polls[0].revents) {
      /* What it still said before it ended, the reason of a failure above all. */
      while (s->control >= 0) hear(s);
      return;
    }
  }
}

static int clone_sandbox(struct supervised *s, int control, int report, struct bh_fault *fault) {
  uint64_t flags = CLONE_PIDFD;
  if (s->spec.has_token) flags |= CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (s->spec.has_view) flags |= CLONE_NEWNS;
  if (s->spec.has_network) flags |= CLONE_NEWNET;
  struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD, .pidfd = (uint64_t)(uintptr_t)&s->first_pidfd};
  const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
  if (child == 0) {
    const int *fds = s->fds;
    const struct bh_inside inside = {&s->spec, control, report, {fds[BH_FD_STDIN], fds[BH_FD_STDOUT], fds[BH_FD_STDERR]}};
    close(s->control);
    close(s->report);
    bh_inside(&inside);
  }
  if (child < 0) return bh_fault(fault, 0, "clone3", NULL);
  s->first = child;
  return 0;
}

/* Re-opening /dev/stdout asks for the owner of the pipe, which Bulkhead made as itself. */
static int give_pipes(const struct supervised *s, struct bh_fault *fault) {
  for (int i = BH_FD_STDIN; i <= BH_FD_STDERR; i++) {
    struct stat status;
    if (fstat(s->fds[i], &status) < 0 || !S_ISFIFO(status.st_mode)) continue;
    if (fchown(s->fds[i], s->spec.outside_uid, s->spec.outside_gid) < 0) return bh_fault(fault, 0, "fchown of a pipe", NULL);
  }
  return 0;
}

/*
 * What the agent gets as 0, 1 and 2 it gets past every wall: a directory is a way back into the host's files, and a network socket can be
 * connected anew in the namespace that it was made in. Pipes, terminals, files and the unix sockets that programs use as pipes are fine.
 */
static int check_stdio(const struct supervised *s, struct bh_fault *fault) {
  if (!s->spec.has_view && !s->spec.has_network) return 0;
  for (int i = BH_FD_STDIN; i <= BH_FD_STDERR; i++) {
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    const char *name = names[i - BH_FD_STDIN];
    struct stat status;
    int domain = AF_UNIX;
    socklen_t length = sizeof(domain);
    if (fstat(s->fds[i], &status) < 0) return bh_fault(fault, 0, "looking at", name);
    const int flags = fcntl(s->fds[i], F_GETFL);
    if (S_ISDIR(status.st_mode) || flags < 0 || (flags & O_PATH)) return bh_fault(fault, EINVAL, "passing on a directory as", name);
    if (!S_ISSOCK(status.st_mode)) continue;
    if (getsockopt(s->fds[i], SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_UNIX) {
      return bh_fault(fault, EINVAL, "passing on a network socket as", name);
    }
  }
  return 0;
}

static int prepare_identity(struct supervised *s, struct bh_fault *fault) {
  struct bh_spec *spec = &s->spec;
  if (!spec->has_token) return 0;
  const bool root = geteuid() == 0;
  /* Kernel uid 0 could open /proc/sys/kernel/core_pattern for writing, with every other wall up. */
  if (root && !spec->has_outside) return bh_fault(fault, EPERM, "refusing to run an agent as host root", NULL);
  if (!root && spec->has_outside) return bh_fault(fault, EPERM, "taking another identity without being root", NULL);
  if (!root) return 0;
  if (setgroups(0, NULL) < 0) return bh_fault(fault, 0, "setgroups", NULL);
  if (spec->stdio == BH_STDIO_PIPES && give_pipes(s, fault) < 0) return -1;
  struct bh_mapping mapping = {.descriptor = -1};
  int result = 0;
  for (size_t i = 0; result == 0 && i < spec->entry_count; i++) {
    if (spec->entries[i].kind != BH_BIND || !spec->entries[i].mapped) continue;
    result = bh_mapped_mount(&spec->entries[i], &mapping, spec->outside_uid, spec->outside_gid, fault);
  }
  bh_mapping_close(&mapping);
  return result;
}

static int begin(struct supervised *s, struct bh_fault *fault) {
  int control[2], report[2];
  if (check_stdio(s, fault) < 0) return -1;
  if (prepare_identity(s, fault) < 0) return -1;
  if (!s->spec.has_token) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0) return bh_fault(fault, 0, "socketpair", NULL);
  if (pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0) return bh_fault(fault, 0, "pipe", NULL);
  s->control = control[0];
  s->report = report[0];
  /* The child inherits it, and the files of its id maps are ours only then. */
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  const int result = clone_sandbox(s, control[1], report[1], fault);
  close(control[1]);
  close(report[1]);
  if (result < 0) return -1;
  for (size_t i = 0; i < s->spec.entry_count; i++) {
    if (s->spec.entries[i].kind == BH_BIND && s->spec.entries[i].mount >= 0) close(s->spec.entries[i].mount);
  }
  if (!s->spec.has_token) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 0;
  }
  const bool outside = s->spec.has_outside;
  const uint32_t uid = outside ? s->spec.outside_uid : geteuid(), gid = outside ? s->spec.outside_gid : getegid();
  if (bh_map_ids(s->first, s->spec.inside_uid, uid, s->spec.inside_gid, gid, fault) < 0) return -1;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  struct bh_writer w;
  bh_begin(&w, BH_INNER_MAPPED);
  if (bh_keep_few_capabilities(fault) < 0) return -1;
  const int sent = bh_send(&w, s->control);
  return sent < 0 ? bh_fault(fault, -sent, "starting the sandbox", NULL) : 0;
}

/* Without a pid namespace nothing ends the descendants but we: they are ours, as we are the reaper of orphans. */
static void end_orphans(void) {
  for (;;) {
    bh_kill_children_but(NULL);
    const pid_t pid = waitpid(-1, NULL, 0);
    if (pid < 0 && errno != EINTR) return;
  }
}

static void finish(struct supervised *s) {
  int status = 0;
  bool known = false;
  if (s->first > 0) {
    end_sandbox(s);
    while (waitpid(s->first, NULL, __WALL) < 0 && errno == EINTR) {
    }
    known = read(s->report, &status, sizeof(status)) == (ssize_t)sizeof(status);
    if (!s->spec.has_token) end_orphans();
  }
  if (s->in_terminal) {
    bh_terminal_flush(&s->terminal);
    bh_terminal_close(&s->terminal);
  }
  const bool exited = known && WIFEXITED(status);
  struct bh_writer w;
  bh_begin(&w, BH_GONE);
  bh_write_u8(&w, exited ? 0 : 1);
  bh_write_u32(&w, (uint32_t)(exited ? WEXITSTATUS(status) : known && WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL));
  bh_write_u32(&w, (uint32_t)s->rule);
  tell(s, &w);
}

void bh_supervise(struct bh_reader *body, const int fds[BH_FD_COUNT], int told) {
  struct supervised s = {.fds = fds, .control = -1, .report = -1, .first_pidfd = -1, .agent_pidfd = -1, .notify = -1, .told = told, .rule = -1};
  struct bh_fault fault;
  if (bh_spec_decode(&s.spec, body) < 0) {
    bh_fault(&fault, EINVAL, "decoding the launch specification", NULL);
    tell_fault(&s, &fault);
  } else if (begin(&s, &fault) < 0) {
    tell_fault(&s, &fault);
  } else {
    serve(&s);
  }
  finish(&s);
  bh_spec_free(&s.spec);
}
