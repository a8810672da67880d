/*
 * The agent's standard streams and its console. It never gets the user's console, nor a handle to it: whoever has one can put keys into its
 * input, to be read by the shell that is there afterwards.
 *   pipes     the launcher's own console, which nobody sees
 *   inherit   a pseudo-console that nobody sees; what is a console among the user's streams is a pipe for the agent
 *   terminal  a pseudo-console that is joined to the user's streams
 */
#ifndef BULKHEAD_STREAMS_H
#define BULKHEAD_STREAMS_H

#include "fault.h"
#include "pump.h"
#include "runner.h"
#include "spec.h"
#include "user-console.h"

struct bh_streams {
  HANDLE child[3]; /* inheritable, for the agent; all NULL with a terminal */
  HPCON console; /* NULL: the launcher's own */
  HANDLE keys; /* what is written here was typed in it */
  struct bh_pump input, output[2], screen;
  struct bh_user_console user;
};

/*
 * Takes over the handles of `ends`. Pipes and files go to the agent as they are. To be called before this process is sealed: the
 * pseudo-console is a process of its own. Returns 0 or -1.
 */
int bh_streams_open(struct bh_streams *streams, const struct bh_spec *spec, struct bh_ends *ends, struct bh_fault *fault);

/* The agent has its ends; who reads the other ends must see their end with it. */
void bh_streams_given(struct bh_streams *streams);

void bh_streams_resize(struct bh_streams *streams, uint32_t columns, uint32_t rows);

/* Waits until what the agent wrote has reached the user, and puts the user's console back. */
void bh_streams_finish(struct bh_streams *streams);

#endif
