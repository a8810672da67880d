#include "trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead.h"
#include "intercept.h"

static int try_open(const char *path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int try_create(const char *path) {
  const int result = try_open(path, O_CREAT | O_EXCL | O_WRONLY);
  if (result == 0) unlink(path);
  return result;
}

/* A refusal must be prompt; a second without an answer counts as one. */
static int try_connect(const char *address, uint16_t port) {
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  const bool is_four = inet_pton(AF_INET, address, &four.sin_addr) == 1;
  if (!is_four && inet_pton(AF_INET6, address, &six.sin6_addr) != 1) return EINVAL;
  const int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  int result = is_four ? connect(fd, (struct sockaddr *)&four, sizeof(four)) : connect(fd, (struct sockaddr *)&six, sizeof(six));
  result = result < 0 ? errno : 0;
  if (result == EINPROGRESS) {
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    socklen_t length = sizeof(result);
    if (poll(&waiting, 1, 1000) != 1) {
      result = ETIMEDOUT;
    } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &length) < 0) {
      result = errno;
    }
  }
  close(fd);
  return result;
}

/* The first line of a small file, or of the line of /proc/self/status that begins with `field`, without its name. */
static int first_line(const char *path, const char *field, char *value, size_t size) {
  FILE *file = fopen(path, "re");
  if (!file) return errno;
  char line[1024];
  int result = ENOENT;
  const size_t length = field ? strlen(field) : 0;
  while (result != 0 && fgets(line, sizeof(line), file)) {
    if (field && (strncmp(line, field, length) != 0 || line[length] != ':')) continue;
    const char *text = field ? line + length + 1 : line;
    text += strspn(text, " \t");
    snprintf(value, size, "%.*s", (int)strcspn(text, "\n"), text);
    result = 0;
  }
  fclose(file);
  return result;
}

/* `ids`: "uid gid | uid_map | gid_map", the maps as user_namespaces(7) shows them. */
static int ids(char *value, size_t size) {
  char uids[256] = "", gids[256] = "";
  int result = first_line("/proc/self/uid_map", NULL, uids, sizeof(uids));
  if (result == 0) result = first_line("/proc/self/gid_map", NULL, gids, sizeof(gids));
  if (result == 0) snprintf(value, size, "%u %u | %s | %s", geteuid(), getegid(), uids, gids);
  return result;
}

static int try_one(struct bh_reader *r, char *value, size_t size) {
  const uint8_t op = bh_read_u8(r);
  char *text = op == BH_TRY_SIGNAL ? NULL : bh_read_text(r);
  const uint32_t number = op == BH_TRY_CONNECT || op == BH_TRY_SIGNAL ? bh_read_u32(r) : 0;
  int result = EINVAL;
  if (!r->failed) {
    switch (op) {
      case BH_TRY_READ:
        result = try_open(text, O_RDONLY);
        break;
      case BH_TRY_WRITE:
        result = try_open(text, O_WRONLY);
        break;
      case BH_TRY_CREATE:
        result = try_create(text);
        break;
      case BH_TRY_CONNECT:
        result = try_connect(text, (uint16_t)number);
        break;
      case BH_TRY_SYSCALL:
        result = bh_attempt_syscall(text);
        if (result < 0) result = EINVAL;
        break;
      case BH_TRY_SIGNAL:
        /* 0 and negative numbers name groups, which would include ourselves. */
        result = number == 0 || number > INT32_MAX ? EINVAL : kill((pid_t)number, 0) < 0 ? errno : 0;
        break;
      case BH_TRY_STATUS:
        result = strcmp(text, "ids") == 0 ? ids(value, size) : first_line("/proc/self/status", text, value, size);
        break;
      default:
        r->failed = true;
    }
  }
  free(text);
  return result;
}

int bh_try_all(struct bh_reader *r, struct bh_writer *w) {
  const uint32_t count = bh_read_count(r, 5);
  bh_begin(w, BH_OUTCOMES);
  bh_write_u32(w, count);
  for (uint32_t i = 0; i < count && !r->failed; i++) {
    char value[1024] = "";
    bh_write_u32(w, (uint32_t)try_one(r, value, sizeof(value)));
    bh_write_text(w, value);
  }
  return r->failed || r->left != 0 ? -1 : 0;
}
