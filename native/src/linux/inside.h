/* What happens inside the new namespaces, from the clone to the agent's exec. */
#ifndef BULKHEAD_INSIDE_H
#define BULKHEAD_INSIDE_H

#include "spec.h"

/* Frames between the processes of one sandbox; never seen outside of it. */
enum bh_inner { BH_INNER_MAPPED = 40, BH_INNER_LISTENERS = 41, BH_INNER_HELD = 42 };

/* Which descriptors follow BH_INNER_HELD, in this order. The agent's pidfd is always first. */
enum bh_held_flags { BH_HELD_NOTIFY = 1, BH_HELD_TERMINAL = 2 };

struct bh_inside {
  const struct bh_spec *spec;
  int control;  /* socket to the supervisor */
  int report;   /* pipe: the agent's wait status, 4 bytes */
  int stdio[3]; /* unused with a terminal */
};

/* The first process of the sandbox. Never returns. */
_Noreturn void bh_inside(const struct bh_inside *inside);

#endif
