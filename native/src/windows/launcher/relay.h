/* Passing bytes on between a launcher's own streams and the pipes of its runner. */
#ifndef BULKHEAD_RELAY_H
#define BULKHEAD_RELAY_H

#include <windows.h>

#include "runner-pipes.h"
#include "runner.h"

/*
 * Passes everything on, both ways, until `runner` is gone and what it had sent has arrived (or nobody takes it). The end of either side of a
 * stream is the end of the other. Takes the handles over.
 */
void bh_relay(HANDLE pipes[BH_PIPES], const struct bh_ends *ends, HANDLE runner);

#endif
