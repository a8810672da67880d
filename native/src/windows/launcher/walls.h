/* What every process of one sandbox is started with. */
#ifndef BULKHEAD_WALLS_H
#define BULKHEAD_WALLS_H

#include <stdbool.h>
#include <windows.h>

#include "desktop.h"
#include "fault.h"
#include "spec.h"

struct bh_walls {
  HANDLE job;
  HANDLE token; /* NULL: the supervisor's own */
  PSECURITY_DESCRIPTOR guard; /* of processes, threads and their tokens; NULL without a token */
  struct bh_desktop desktop;
  wchar_t *desktop_name; /* `station\desktop`; NULL: whatever the supervisor's is */
  wchar_t *environment; /* block */
  wchar_t *directory;
};

/*
 * Job, desktop, token, in this order, and then this process is sealed: what it does afterwards it does with what it has. Messages about
 * the job go to `port` under `key`. Returns 0 or -1; in either case bh_walls_close is to be called.
 */
int bh_walls_make(struct bh_walls *walls, const struct bh_spec *spec, HANDLE port, ULONG_PTR key, struct bh_fault *fault);

/*
 * After a process could not be started with ERROR_ACCESS_DENIED: where this process is in a job that it cannot leave, a job with limits on
 * windows takes nobody (Win32: AssignProcessToJobObject, "it cannot have UI limits set"). Replaces the job by one without: windows, atoms and
 * clipboard are those of the private window station in any case. False without one, and when that is not the reason.
 */
bool bh_walls_relax(struct bh_walls *walls, const struct bh_spec *spec, HANDLE port, ULONG_PTR key);

void bh_walls_close(struct bh_walls *walls);

#endif
