/* The shared library that Node loads: what must happen in the orchestrator's own process, and nothing else. No fork, no clone. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "bulkhead.h"
#include "process.h"
#include "channel.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT uint32_t bulkhead_abi(void);
EXPORT int32_t bulkhead_start_helper(const char *path, int32_t *pid);
EXPORT int32_t bulkhead_reap(int32_t pid, int32_t force);
EXPORT int32_t bulkhead_socketpair(int32_t *fds);
EXPORT int32_t bulkhead_pipe(int32_t *fds, int32_t nonblocking_end);
EXPORT int32_t bulkhead_send(int32_t fd, const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count);
EXPORT int32_t bulkhead_receive_fds(int32_t fd, int32_t *fds, uint32_t most);
EXPORT int32_t bulkhead_close(int32_t fd);
EXPORT int32_t bulkhead_start_time(int32_t pid, char *text, uint32_t size);
EXPORT int32_t bulkhead_terminal_save(int32_t fd, uint8_t *settings, uint32_t size);
EXPORT int32_t bulkhead_terminal_restore(int32_t fd, const uint8_t *settings, uint32_t size);

uint32_t bulkhead_abi(void) { return BH_ABI_VERSION; }

/* Starts the helper with a socket as its descriptor 3; returns our end or -errno. posix_spawn(3) shares memory like vfork: no page tables are copied. */
int32_t bulkhead_start_helper(const char *path, int32_t *pid) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  /* dup2 onto itself would keep close-on-exec; glibc clears it for equal descriptors (POSIX.1-2024). */
  posix_spawn_file_actions_adddup2(&actions, pair[1], 3);
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &all);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  char name[] = "bulkhead-helper";
  char *argv[] = {name, NULL};
  char *environment[] = {NULL};
  pid_t child = 0;
  const int failed = posix_spawn(&child, path, &actions, &attributes, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(pair[1]);
  if (failed != 0) {
    close(pair[0]);
    return -failed;
  }
  *pid = child;
  return pair[0];
}

/* Collects the helper when it has ended; with `force` ends it first. 1 collected, 0 still there, -errno. */
int32_t bulkhead_reap(int32_t pid, int32_t force) {
  if (force) kill(pid, SIGKILL);
  pid_t done;
  do {
    done = waitpid(pid, NULL, force ? 0 : WNOHANG);
  } while (done < 0 && errno == EINTR);
  return done < 0 ? -errno : done == pid;
}

int32_t bulkhead_socketpair(int32_t *fds) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  fds[0] = pair[0];
  fds[1] = pair[1];
  return 0;
}

/* [read, write]. The orchestrator's own end must not block; the agent's must. */
int32_t bulkhead_pipe(int32_t *fds, int32_t nonblocking_end) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) < 0) return -errno;
  const int own = pair[nonblocking_end];
  fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
  fds[0] = pair[0];
  fds[1] = pair[1];
  return 0;
}

int32_t bulkhead_send(int32_t fd, const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count) {
  return bh_send_fds(fd, bytes, length, fds, count);
}

int32_t bulkhead_receive_fds(int32_t fd, int32_t *fds, uint32_t most) { return bh_receive_fds(fd, fds, most); }

int32_t bulkhead_close(int32_t fd) { return close(fd) < 0 ? -errno : 0; }

int32_t bulkhead_start_time(int32_t pid, char *text, uint32_t size) { return bh_start_time(pid, text, size); }

/* For the case that a supervisor is killed before it could restore the user's terminal itself (termios(3)). -ENOTTY for anything else. */
int32_t bulkhead_terminal_save(int32_t fd, uint8_t *settings, uint32_t size) {
  struct termios now;
  if (size < sizeof(now)) return -EINVAL;
  if (tcgetattr(fd, &now) < 0) return -errno;
  memcpy(settings, &now, sizeof(now));
  return 0;
}

int32_t bulkhead_terminal_restore(int32_t fd, const uint8_t *settings, uint32_t size) {
  struct termios before;
  if (size < sizeof(before)) return -EINVAL;
  memcpy(&before, settings, sizeof(before));
  return tcsetattr(fd, TCSANOW, &before) < 0 ? -errno : 0;
}
