/* Starting a process of a sandbox. */
#ifndef BULKHEAD_SPAWN_H
#define BULKHEAD_SPAWN_H

#include <windows.h>

#include "walls.h"

struct bh_start {
  const wchar_t *file;
  wchar_t *line; /* CreateProcess writes into it */
  HANDLE streams[3]; /* inheritable; the only handles that the process gets */
  HPCON console; /* NULL: none of its own, streams are used */
};

/*
 * Starts it suspended, born in the job, with a process group of its own (unless it has a console of its own, where Ctrl-C must reach it).
 * Returns 0 with handles that are the caller's, or -1.
 */
int bh_spawn(const struct bh_walls *walls, const struct bh_start *start, PROCESS_INFORMATION *process, struct bh_fault *fault);

/* Creation time in 100 ns since 1601, as text. */
void bh_start_time(HANDLE process, char *text, size_t size);

#endif
