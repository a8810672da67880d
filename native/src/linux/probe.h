/* What this kernel really does, found out by doing it (never from version numbers). */
#ifndef BULKHEAD_PROBE_H
#define BULKHEAD_PROBE_H

#include "channel.h"

/* Answers a BH_PROBE body on `channel` with BH_ANSWER. The calling process is used up by it. */
void bh_probe(struct bh_reader *body, int channel);

#endif
