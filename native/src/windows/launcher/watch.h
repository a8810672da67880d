/* The hook in the processes of one sandbox: its policy, its way in, and what it reports. */
#ifndef BULKHEAD_WATCH_H
#define BULKHEAD_WATCH_H

#include <stdbool.h>
#include <windows.h>

#include "events.h"
#include "fault.h"
#include "inject.h"
#include "spec.h"

/* All zero: nobody watches, and the functions below do nothing. */
struct bh_watch {
  struct bh_events *events;
  struct bh_blob asleep, awake; /* the policy for the probe and for the agent */
  wchar_t dll[MAX_PATH + 32];
};

/* Where the specification has an interception: builds its policies and opens the event pipe. Returns 0 or -1. */
int bh_watch_open(struct bh_watch *watch, const struct bh_spec *spec, HANDLE job, const struct bh_events_handler *handler, struct bh_fault *fault);

/* Brings the hook into a process that was created suspended. `asleep`: rules answer nothing yet. Returns 0 or -1. */
int bh_watch_enter(const struct bh_watch *watch, const PROCESS_INFORMATION *process, bool asleep, struct bh_fault *fault);

void bh_watch_answer(const struct bh_watch *watch, uint32_t question, bool allow);

/* Waits until everything is reported. To be called when no process of the sandbox is left. */
void bh_watch_close(struct bh_watch *watch);

/* Where the DLL is: beside this executable. */
int bh_watch_dll(wchar_t dll[MAX_PATH + 32], struct bh_fault *fault);

#endif
