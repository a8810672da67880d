/*
 * The supervisor's end of the event pipe: what the hook DLL in the processes of one sandbox reports.
 *
 * The other side is hostile. A name nobody can guess, FILE_FLAG_FIRST_PIPE_INSTANCE, a DACL with the launch's own SID and the user alone,
 * and every client must be a process of the sandbox's job. What a client says is read strictly, or the client is cut off; who it is, the
 * kernel says (GetNamedPipeClientProcessId). Events of all clients together are limited to 256 at once and 100 per second, the rest is
 * counted as lost; a kill is always reported.
 */
#ifndef BULKHEAD_EVENTS_H
#define BULKHEAD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

/* Texts are UTF-8 without NUL inside, NUL-terminated, valid during the call only; `act` and `action` are names of hook-policy.h. */
struct bh_hook_event {
  uint32_t rule; /* BH_HOOK_NO_RULE: nobody's rule, see there */
  const char *act, *action;
  uint32_t pid;
  uint32_t lost; /* events dropped since the previous one */
  const char *program, *object;
};

/* Called on the thread of the event pipe, one at a time; must not wait for anything the sandbox does. */
struct bh_events_handler {
  void *context;
  void (*event)(void *context, const struct bh_hook_event *event); /* BH_INTERCEPTED */
  /* BH_ASK; to be answered with bh_events_answer. `action` is "ask", `lost` is 0. */
  void (*ask)(void *context, uint32_t question, const struct bh_hook_event *event);
  /* A `kill` rule matched (`event` was called with it before): end the whole job at once and remember the rule. */
  void (*kill)(void *context, uint32_t rule);
};

struct bh_events;

/*
 * Starts to listen. `job`: the sandbox's, stays the caller's. `launch_sid` and `user_sid`: who may open the pipe, besides SYSTEM.
 * Returns 0 or a Win32 error.
 */
uint32_t bh_events_open(HANDLE job, PSID launch_sid, PSID user_sid, const struct bh_events_handler *handler, struct bh_events **events);

/* `\\.\pipe\bulkhead-...`, for bh_hook_options. */
const wchar_t *bh_events_pipe(const struct bh_events *events);

/* From any thread. A question nobody waits for any more is not an error. */
void bh_events_answer(struct bh_events *events, uint32_t question, bool allow);

/* True when the process has said hello: the DLL is at work in it. */
bool bh_events_knows(struct bh_events *events, uint32_t pid);

/*
 * Waits until everything that clients had sent is reported, then ends the thread: to be called when the job's last process is gone, and
 * before BH_GONE is sent. Bounded to a second.
 */
void bh_events_close(struct bh_events *events);

#endif
