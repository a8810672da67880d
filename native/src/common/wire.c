#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead.h"

#define MOST_FDS 128

static const uint8_t *take(struct bh_reader *r, size_t length) {
  if (r->failed || r->left < length) {
    r->failed = true;
    return NULL;
  }
  const uint8_t *at = r->at;
  r->at += length;
  r->left -= length;
  return at;
}

uint8_t bh_read_u8(struct bh_reader *r) {
  const uint8_t *at = take(r, 1);
  return at ? at[0] : 0;
}

uint32_t bh_read_u32(struct bh_reader *r) {
  const uint8_t *at = take(r, 4);
  return at ? (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24 : 0;
}

uint64_t bh_read_u64(struct bh_reader *r) {
  const uint64_t low = bh_read_u32(r);
  return low | (uint64_t)bh_read_u32(r) << 32;
}

char *bh_read_text(struct bh_reader *r) {
  const uint32_t length = bh_read_u32(r);
  const uint8_t *at = take(r, length);
  if (!at || memchr(at, 0, length)) {
    r->failed = true;
    return NULL;
  }
  char *text = malloc((size_t)length + 1);
  if (!text) {
    r->failed = true;
    return NULL;
  }
  memcpy(text, at, length);
  text[length] = 0;
  return text;
}

uint32_t bh_read_count(struct bh_reader *r, size_t smallest) {
  const uint32_t count = bh_read_u32(r);
  if (r->failed || count > r->left / smallest) {
    r->failed = true;
    return 0;
  }
  return count;
}

static uint8_t *grow(struct bh_writer *w, size_t more) {
  if (w->failed) return NULL;
  if (w->length + more > w->capacity) {
    const size_t capacity = (w->length + more) * 2 + 64;
    uint8_t *bytes = realloc(w->bytes, capacity);
    if (!bytes) {
      w->failed = true;
      return NULL;
    }
    w->bytes = bytes;
    w->capacity = capacity;
  }
  uint8_t *at = w->bytes + w->length;
  w->length += more;
  return at;
}

static void put_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
  at[2] = (uint8_t)(value >> 16);
  at[3] = (uint8_t)(value >> 24);
}

void bh_begin(struct bh_writer *w, uint8_t type) {
  *w = (struct bh_writer){0};
  bh_write_u32(w, 0);
  bh_write_u8(w, type);
}

void bh_write_u8(struct bh_writer *w, uint8_t value) {
  uint8_t *at = grow(w, 1);
  if (at) *at = value;
}

void bh_write_u32(struct bh_writer *w, uint32_t value) {
  uint8_t *at = grow(w, 4);
  if (at) put_u32(at, value);
}

void bh_write_bytes(struct bh_writer *w, const void *bytes, size_t length) {
  uint8_t *at = grow(w, length);
  if (at) memcpy(at, bytes, length);
}

void bh_write_text(struct bh_writer *w, const char *text) {
  const size_t length = strlen(text);
  bh_write_u32(w, (uint32_t)length);
  bh_write_bytes(w, text, length);
}

int bh_send(struct bh_writer *w, int fd) {
  int result = w->failed ? -ENOMEM : 0;
  if (result == 0) put_u32(w->bytes, (uint32_t)(w->length - 4));
  for (size_t sent = 0; result == 0 && sent < w->length;) {
    const ssize_t n = send(fd, w->bytes + sent, w->length - sent, MSG_NOSIGNAL);
    if (n >= 0) {
      sent += (size_t)n;
    } else if (errno != EINTR) {
      result = -errno;
    }
  }
  free(w->bytes);
  *w = (struct bh_writer){0};
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
