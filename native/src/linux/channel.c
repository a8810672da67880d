#include "channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead.h"

#define MOST_FDS 128

int bh_send(struct bh_writer *w, int fd) {
  int result = bh_finish(w) ? 0 : -ENOMEM;
  for (size_t sent = 0; result == 0 && sent < w->length;) {
    const ssize_t n = send(fd, w->bytes + sent, w->length - sent, MSG_NOSIGNAL);
    if (n >= 0) {
      sent += (size_t)n;
    } else if (errno != EINTR) {
      result = -errno;
    }
  }
  bh_discard(w);
  return result;
}

/* Keeps the descriptors of a message; closes what does not fit, so that none is left open by accident. */
static size_t keep_fds(struct msghdr *message, int *fds, size_t most, size_t count) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      if (count < most) {
        fds[count++] = fd;
      } else {
        close(fd);
      }
    }
  }
  return count;
}

static ssize_t receive_some(int fd, void *bytes, size_t length, int flags, int *fds, size_t most, size_t *count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(MOST_FDS * sizeof(int))];
  } control;
  struct iovec io = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
  ssize_t n;
  do {
    n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n > 0) *count = keep_fds(&message, fds, most, *count);
  return n;
}

static int receive_all(int fd, uint8_t *bytes, size_t length, int *fds, size_t most, size_t *count) {
  for (size_t got = 0; got < length;) {
    const ssize_t n = receive_some(fd, bytes + got, length - got, 0, fds, most, count);
    if (n < 0) return -1;
    if (n == 0) {
      errno = got == 0 ? 0 : EPROTO;
      return -1;
    }
    got += (size_t)n;
  }
  return 0;
}

uint8_t *bh_receive(int fd, size_t *length, int *fds, size_t most, size_t *count) {
  uint8_t header[4];
  uint8_t *payload = NULL;
  *count = 0;
  if (receive_all(fd, header, sizeof(header), fds, most, count) == 0) {
    struct bh_reader r = {header, sizeof(header), false};
    *length = bh_read_u32(&r);
    if (*length == 0 || *length > BH_FRAME_MAX) {
      errno = EPROTO;
    } else if ((payload = malloc(*length)) && receive_all(fd, payload, *length, fds, most, count) != 0) {
      const int reason = errno ? errno : EPROTO;
      free(payload);
      payload = NULL;
      errno = reason;
    }
  }
  if (!payload) {
    const int reason = errno;
    while (*count > 0) close(fds[--*count]);
    errno = reason;
  }
  return payload;
}

int bh_send_fds(int fd, const void *bytes, size_t length, const int *fds, size_t count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(MOST_FDS * sizeof(int))];
  } control;
  if (count > MOST_FDS || length == 0) return -EINVAL;
  memset(&control, 0, sizeof(control));
  struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
  }
  ssize_t n;
  do {
    n = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  for (size_t sent = (size_t)n; sent < length; sent += (size_t)n) {
    do {
      n = send(fd, (const uint8_t *)bytes + sent, length - sent, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
  }
  return 0;
}

int bh_receive_fds(int fd, int *fds, size_t most) {
  uint8_t byte;
  size_t count = 0;
  const ssize_t n = receive_some(fd, &byte, 1, MSG_DONTWAIT, fds, most, &count);
  return n < 0 ? -errno : (int)count;
}
