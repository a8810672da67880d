#include "terminal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void bh_terminal_open(struct bh_terminal *terminal, int user_in, int user_out, int master) {
  memset(terminal, 0, sizeof(*terminal));
  terminal->user_in = user_in;
  terminal->user_out = user_out;
  terminal->master = master;
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
}

void bh_terminal_resize(const struct bh_terminal *terminal, uint32_t columns, uint32_t rows) {
  const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  if (terminal->master >= 0) ioctl(terminal->master, TIOCSWINSZ, &size);
}

void bh_terminal_poll(const struct bh_terminal *terminal, struct pollfd polls[3]) {
  const bool open = terminal->master >= 0;
  polls[0] = (struct pollfd){.fd = open && terminal->typed_length == 0 ? terminal->user_in : -1, .events = POLLIN};
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

void bh_terminal_serve(struct bh_terminal *terminal, const struct pollfd polls[3]) {
  if (polls[0].revents & (POLLIN | POLLHUP)) {
    const ssize_t n = read(terminal->user_in, terminal->typed, sizeof(terminal->typed));
    if (n > 0) terminal->typed_length = (size_t)n;
  }
  if (polls[1].revents & POLLOUT) {
    drop(terminal->shown, &terminal->shown_length, write(terminal->user_out, terminal->shown, terminal->shown_length));
  }
  if (terminal->master >= 0 && (polls[2].revents & POLLOUT)) {
    drop(terminal->typed, &terminal->typed_length, write(terminal->master, terminal->typed, terminal->typed_length));
  }
  if (terminal->master >= 0 && (polls[2].revents & (POLLIN | POLLHUP))) {
    const ssize_t n = read(terminal->master, terminal->shown, sizeof(terminal->shown));
    if (n > 0) {
      terminal->shown_length = (size_t)n;
    } else if (polls[2].revents & POLLHUP) {
      close(terminal->master);
      terminal->master = -1;
    }
  }
}

void bh_terminal_flush(struct bh_terminal *terminal) {
  for (int rounds = 0; rounds < 256; rounds++) {
    while (terminal->shown_length > 0) {
      const ssize_t n = write(terminal->user_out, terminal->shown, terminal->shown_length);
      if (n <= 0) return;
      drop(terminal->shown, &terminal->shown_length, n);
    }
    const ssize_t n = terminal->master < 0 ? 0 : read(terminal->master, terminal->shown, sizeof(terminal->shown));
    if (n <= 0) return;
    terminal->shown_length = (size_t)n;
  }
}
