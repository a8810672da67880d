/*
 * The helper: one per orchestrator. Reads launches from the socket that is its descriptor 3 and forks a supervisor for each; holds nothing
 * else. It parses frames only: what is inside a launch is decoded by the supervisor, so a malformed one ends one launch.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bulkhead.h"
#include "kernel.h"
#include "probe.h"
#include "process.h"
#include "supervisor.h"

#define SOCKET 3

static void ignore(int number) { signal(number, SIG_IGN); }

/* In a fresh process per request, which is not to outlive the helper. */
static void carry_out(const uint8_t *payload, size_t length, int *fds, size_t count, pid_t helper) {
  /* Not SIGKILL: a supervisor still has to end its sandbox and to restore the user's terminal. Read by signalfd, so it must not be ignored. */
  const bool launch = payload[0] == BH_LAUNCH;
  sigset_t blocked;
  sigemptyset(&blocked);
  if (launch) sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  const int told = launch ? signalfd(-1, &blocked, SFD_CLOEXEC) : -1;
  prctl(PR_SET_PDEATHSIG, launch ? SIGTERM : SIGKILL, 0, 0, 0);
  if (getppid() != helper || (launch && told < 0)) _exit(125);
  close(SOCKET);
  struct bh_reader r = {payload + 1, length - 1, false};
  if (payload[0] == BH_LAUNCH && count == BH_FD_COUNT) {
    bh_supervise(&r, fds, told);
  } else if (payload[0] == BH_PROBE && count == 1) {
    bh_probe(&r, fds[0]);
  }
  _exit(0);
}

static pid_t *supervisors;
static size_t supervisor_count;

static bool is_supervisor(pid_t pid) {
  for (size_t i = 0; i < supervisor_count; i++) {
    if (supervisors[i] == pid) return true;
  }
  return false;
}

static void forget(pid_t pid) {
  for (size_t i = 0; i < supervisor_count; i++) {
    if (supervisors[i] == pid) supervisors[i] = supervisors[--supervisor_count];
  }
}

/* What a supervisor that was killed left behind comes to us, as we are the reaper of orphans, and is ended: it had no other wall. */
static void collect(void) {
  for (;;) {
    bh_kill_children_but(is_supervisor);
    const pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid <= 0) return;
    forget(pid);
  }
}

static int serve(int children) {
  const pid_t self = getpid();
  for (;;) {
    struct pollfd polls[] = {{.fd = SOCKET, .events = POLLIN}, {.fd = children, .events = POLLIN}};
    if (poll(polls, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return 1;
    }
    if (polls[1].revents) {
      struct signalfd_siginfo ignored;
      const ssize_t n = read(children, &ignored, sizeof(ignored));
      (void)n;
      collect();
    }
    if (polls[0].revents == 0) continue;
    pid_t *grown = realloc(supervisors, (supervisor_count + 1) * sizeof(pid_t));
    if (!grown) return 1;
    supervisors = grown;
    int fds[BH_FD_COUNT];
    size_t length, count;
    uint8_t *payload = bh_receive(SOCKET, &length, fds, BH_FD_COUNT, &count);
    if (!payload) return errno == 0 ? 0 : 1;
    const pid_t child = fork();
    if (child == 0) close(children);
    if (child == 0) carry_out(payload, length, fds, count, self);
    if (child > 0) supervisors[supervisor_count++] = child;
    /* A fork that failed shows as end of file on the channel. */
    while (count > 0) close(fds[--count]);
    free(payload);
  }
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1) {
    fprintf(stderr, "bulkhead-helper is started by Bulkhead and takes no arguments\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* Descriptors of the orchestrator stop here: only our socket and, for messages of last resort, stderr. */
  if (syscall(SYS_close_range, SOCKET + 1, ~0u, 0) < 0) return 1;
  /* A Ctrl-C reaches the whole foreground group; what it means is for the orchestrator to say. */
  ignore(SIGINT);
  ignore(SIGQUIT);
  ignore(SIGTERM);
  ignore(SIGHUP);
  ignore(SIGPIPE);
  ignore(SIGTTOU);
  ignore(SIGTTIN);
  ignore(SIGTSTP);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ended, NULL);
  const int children = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
  return children < 0 ? 1 : serve(children);
}
