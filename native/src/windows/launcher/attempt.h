/* Trying acts from inside a sandbox, to find out whether its walls hold. */
#ifndef BULKHEAD_ATTEMPT_H
#define BULKHEAD_ATTEMPT_H

#include "wire.h"

/* Tries every attempt of a BH_ATTEMPT body in order and writes the outcomes to `w` as a BH_OUTCOMES frame. -1 when the body is malformed. */
int bh_try_all(struct bh_reader *r, struct bh_writer *w);

#endif
