/*
 * The helper: one per orchestrator. Reads launches from the socket that is its descriptor 3 and forks a supervisor for each; holds nothing
 * else. It parses frames only: what is inside a launch is decoded by the supervisor, so a malformed one ends one launch.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bulkhead.h"
#include "kernel.h"
#include "probe.h"
#include "supervisor.h"

#define SOCKET 3

static void ignore(int number) { signal(number, SIG_IGN); }

/* In a fresh process per request, which is not to outlive the helper. */
static void carry_out(const uint8_t *payload, size_t length, int *fds, size_t count, pid_t helper) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != helper) _exit(125);
  signal(SIGCHLD, SIG_DFL);
  close(SOCKET);
  struct bh_reader r = {payload + 1, length - 1, false};
  if (payload[0] == BH_LAUNCH && count == BH_FD_COUNT) {
    bh_supervise(&r, fds);
  } else if (payload[0] == BH_PROBE && count == 1) {
    bh_probe(&r, fds[0]);
  }
  _exit(0);
}

static int serve(void) {
  const pid_t self = getpid();
  for (;;) {
    int fds[BH_FD_COUNT];
    size_t length, count;
    uint8_t *payload = bh_receive(SOCKET, &length, fds, BH_FD_COUNT, &count);
    if (!payload) return errno == 0 ? 0 : 1;
    const pid_t child = fork();
    if (child == 0) carry_out(payload, length, fds, count, self);
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
  ignore(SIGCHLD); /* supervisors are reaped by the kernel */
  return serve();
}
