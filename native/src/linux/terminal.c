#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* O_NONBLOCK belongs to the open file, which the user's shell shares: so one of our own. -1 for what is no terminal of ours. */
static int reopen(int fd, int flags) {
  char path[40];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return isatty(fd) ? open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
}

void bh_terminal_open(struct bh_terminal *terminal, int user_in, int user_out, int master) {
  memset(terminal, 0, sizeof(*terminal));
  terminal->user_in = user_in;
  terminal->user_out = user_out;
  terminal->master = master;
  terminal->own_in = reopen(user_in, O_RDONLY);
  terminal->own_out = reopen(user_out, O_WRONLY);
  if (terminal->own_in >= 0) terminal->user_in = terminal->own_in;
  if (terminal->own_out >= 0) terminal->user_out = terminal->own_out;
  fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
  if (tcgetattr(user_in, &terminal->saved) == 0) {
    struct termios raw = terminal->saved;
    cfmakeraw(&raw);
    terminal->raw = tcsetattr(user_in, TCSADRAIN, &raw) == 0;
  }
}

void bh_terminal_close(struct bh_terminal *terminal) {
  if (terminal->raw) tcsetattr(terminal->user_in, TCSADRAIN, &terminal->saved);
  terminal->raw = false;
  if (terminal->own_in >= 0) close(terminal->own_in);
  if (terminal->own_out >= 0) close(terminal->own_out);
  terminal->own_in = terminal->own_out = -1;
}

void bh_terminal_resize(const struct bh_terminal *terminal, uint32_t columns, uint32_t rows) {
  const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  if (terminal->master >= 0) ioctl(terminal->master, TIOCSWINSZ, &size);
}

void bh_terminal_poll(const struct bh_terminal *terminal, struct pollfd polls[3]) {
  const bool open = terminal->master >= 0;
  polls[0] = (struct pollfd){.fd = open && !terminal->in_over && terminal->typed_length == 0 ? terminal->user_in : -1, .events = POLLIN};
  polls[1] = (struct pollfd){.fd = terminal->shown_length > 0 ? terminal->user_out : -1, .events = POLLOUT};
  polls[2] = (struct pollfd){.fd = terminal->master, .events = 0};
  if (terminal->shown_length == 0) polls[2].events |= POLLIN;
  if (terminal->typed_length > 0) polls[2].events |= POLLOUT;
  if (polls[2].events == 0) polls[2].fd = -1;
}

static void drop(uint8_t *bytes, size_t *length, ssize_t done) {
  if (done <= 0) return;
  memmove(bytes, bytes + done, *length - (size_t)done);
  *length -= (size_t)done;
}

/* Without an own descriptor a write may wait for the reader: then only as much as fits when poll(2) says that there is room. */
static ssize_t show(const struct bh_terminal *terminal) {
  const size_t most = terminal->own_out >= 0 || terminal->shown_length < 256 ? terminal->shown_length : 256;
  return write(terminal->user_out, terminal->shown, most);
}

void bh_terminal_serve(struct bh_terminal *terminal, const struct pollfd polls[3]) {
  if (polls[0].revents) {
    const ssize_t n = read(terminal->user_in, terminal->typed, sizeof(terminal->typed));
    if (n > 0) {
      terminal->typed_length = (size_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      /* Its end is the end-of-file key (VEOF) to the programs inside; asking again would only spin. */
      terminal->in_over = true;
      terminal->typed[0] = 4;
      terminal->typed_length = 1;
    }
  }
  if (polls[1].revents) {
    const ssize_t n = show(terminal);
    drop(terminal->shown, &terminal->shown_length, n);
    /* Nobody looks any more: the programs inside must not wait for them. */
    if (n < 0 && errno != EAGAIN && errno != EINTR) terminal->shown_length = 0;
  }
  if (terminal->master >= 0 && (polls[2].revents & POLLOUT)) {
    drop(terminal->typed, &terminal->typed_length, write(terminal->master, terminal->typed, terminal->typed_length));
  }
  if (terminal->master >= 0 && (polls[2].revents & (POLLIN | POLLHUP))) {
    const ssize_t n = read(terminal->master, terminal->shown, sizeof(terminal->shown));
    if (n > 0) {
      terminal->shown_length = (size_t)n;
    } else if ((polls[2].revents & POLLHUP) && (n == 0 || errno != EAGAIN)) {
      close(terminal->master);
      terminal->master = -1;
    }
  }
}

void bh_terminal_flush(struct bh_terminal *terminal) {
  for (int rounds = 0; rounds < 4096; rounds++) {
    if (terminal->shown_length == 0) {
      const ssize_t n = terminal->master < 0 ? 0 : read(terminal->master, terminal->shown, sizeof(terminal->shown));
      if (n <= 0) return;
      terminal->shown_length = (size_t)n;
    }
    /* A terminal that is stopped (Ctrl-S) must not keep the sandbox's end from being told for ever. */
    struct pollfd ready = {.fd = terminal->user_out, .events = POLLOUT};
    if (poll(&ready, 1, 1000) != 1 || (ready.revents & POLLOUT) == 0) return;
    const ssize_t n = show(terminal);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return;
    drop(terminal->shown, &terminal->shown_length, n);
  }
}
