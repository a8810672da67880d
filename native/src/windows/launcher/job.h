/*
 * The job object of one sandbox: every process of it is born in it, none can leave it, and all end with its last handle, which only the
 * supervisor holds.
 */
#ifndef BULKHEAD_JOB_H
#define BULKHEAD_JOB_H

#include <stdbool.h>
#include <windows.h>

#include "fault.h"
#include "spec.h"

/*
 * Makes it with every limit of the specification. `windows`: with limits on windows, clipboard, atoms, desktops and shutting down. Messages
 * about it (JOBOBJECT_ASSOCIATE_COMPLETION_PORT) go to `port` under `key`. Returns 0 with *job, or -1.
 */
int bh_job_create(const struct bh_spec *spec, bool windows, HANDLE port, ULONG_PTR key, HANDLE *job, struct bh_fault *fault);

/* Processes that are alive in it; also when that cannot be found out, as if there were some. */
bool bh_job_is_empty(HANDLE job);

/*
 * Ends every process that holds more handles than `most` (exit code ERROR_TOO_MANY_OPEN_FILES). The system has no limit of its own on
 * them, so this is to be called regularly.
 */
void bh_job_end_hoarders(HANDLE job, uint64_t most);

#endif
