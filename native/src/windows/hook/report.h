/*
 * The process's end of the event pipe. Events go into a bounded buffer and a thread of ours writes them in batches; when the supervisor
 * does not keep up, events are dropped and counted, and the program never waits. A process is connected before it runs.
 */
#ifndef BULKHEAD_HOOK_REPORT_H
#define BULKHEAD_HOOK_REPORT_H

#include <stdbool.h>

#include "runtime.h"

/* Connects, checks that the supervisor itself serves the pipe, and says hello. False: it cannot be reached. */
bool bh_report_start(const struct bh_hook_policy *policy);

/* `room->object` is used. */
void bh_report(struct bh_room *room, uint32_t rule, unsigned act, unsigned action, struct bh_text16 object);

/* Asks and waits for the answer, on a connection of its own. No: also when nobody answers in time. */
bool bh_report_ask(struct bh_room *room, uint32_t rule, unsigned act, struct bh_text16 object);

/* Writes what is still in the buffer, for as long as `milliseconds`: before the process ends. */
void bh_report_flush(DWORD milliseconds);

#endif
