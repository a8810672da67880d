/* Joins the user's terminal with the pseudo-terminal of a sandbox. */
#ifndef BULKHEAD_TERMINAL_H
#define BULKHEAD_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct bh_terminal {
  int user_in, user_out; /* the user's terminal */
  int master;            /* -1 once the other side has closed */
  int own_in, own_out;   /* the same terminal opened again without blocking; -1 where it could not be */
  bool in_over;          /* the user's input has ended */
  struct termios saved;
  bool raw;
  uint8_t typed[4096], shown[16384];
  size_t typed_length, shown_length;
};

/* Puts the user's terminal into raw mode; bh_terminal_close restores it. */
void bh_terminal_open(struct bh_terminal *terminal, int user_in, int user_out, int master);
void bh_terminal_close(struct bh_terminal *terminal);
void bh_terminal_resize(const struct bh_terminal *terminal, uint32_t columns, uint32_t rows);
/* What to poll for: three entries (user's input, user's output, master). */
void bh_terminal_poll(const struct bh_terminal *terminal, struct pollfd polls[3]);
/* Moves what can be moved without waiting. */
void bh_terminal_serve(struct bh_terminal *terminal, const struct pollfd polls[3]);
/* Shows what the sandbox wrote last. */
void bh_terminal_flush(struct bh_terminal *terminal);

#endif
