/* The supervisor of one sandbox. */
#ifndef BULKHEAD_SUPERVISE_H
#define BULKHEAD_SUPERVISE_H

#include "runner.h"
#include "spec.h"

/*
 * Carries the launch out and serves it to its end: BH_GONE is sent when no process of the sandbox is left. `spec` stays the caller's. The
 * process is used up by it and should end when it returns.
 */
void bh_supervise(const struct bh_spec *spec, const struct bh_ends *ends);

#endif
