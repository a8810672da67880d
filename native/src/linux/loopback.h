/* The network of a sandbox: loopback, and listeners that every connection ends at. */
#ifndef BULKHEAD_LOOPBACK_H
#define BULKHEAD_LOOPBACK_H

#include <stdbool.h>

#include "fault.h"
#include "spec.h"

/* Brings `lo` up in the calling process's network namespace (which has nothing else). */
int bh_loopback_up(struct bh_fault *fault);
/* Makes every address of both families local to the namespace (ip-route(8): `local default dev lo`). */
int bh_loopback_all(struct bh_fault *fault);
/* Opens the listeners in order into `fds`. Closes what it opened when one fails. */
int bh_listen(const struct bh_spec *spec, int *fds, struct bh_fault *fault);

#endif
