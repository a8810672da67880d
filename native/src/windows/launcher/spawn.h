/* Starting a process of a sandbox. */
#ifndef BULKHEAD_SPAWN_H
#define BULKHEAD_SPAWN_H

#include <windows.h>

#include "walls.h"

struct bh_start {
  const wchar_t *file;
  wchar_t *line; /* CreateProcess writes into it */
  HANDLE streams[3]; /* inheritable, or NULL; the only handles that the process gets */
  HPCON console; /* NULL: the supervisor's own */
  PSECURITY_DESCRIPTOR guard; /* of the process and its thread; NULL: that of the agent's */
};

/*
 * Starts it suspended, born in the job. It shares its console, and what is typed there, with everything else that is started on it.
 * Returns 0 with handles that are the caller's, or -1.
 */
int bh_spawn(const struct bh_walls *walls, const struct bh_start *start, PROCESS_INFORMATION *process, struct bh_fault *fault);

/* The same for this executable with `arguments`, at most 40 characters; `start` has no file and no line. */
int bh_spawn_own(const struct bh_walls *walls, const wchar_t *arguments, struct bh_start *start, PROCESS_INFORMATION *process,
                 struct bh_fault *fault);

/* Creation time in 100 ns since 1601, as text. */
void bh_start_time(HANDLE process, char *text, size_t size);

#endif
