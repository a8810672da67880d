/* The environment block of a new process, from nothing but the specification. */
#ifndef BULKHEAD_ENVIRONMENT_H
#define BULKHEAD_ENVIRONMENT_H

#include <wchar.h>

#include "fault.h"

/*
 * `entries` is NULL-terminated UTF-8 `name=value`. Sorted by name without regard to case, as the system wants it (Win32: "Changing
 * Environment Variables"). malloc; NULL with the fault: text that is not UTF-8, or one name twice, differing in case at most.
 */
wchar_t *bh_environment(char *const *entries, struct bh_fault *fault);

/* Value of a variable in a block; NULL when there is none. Case does not matter. */
const wchar_t *bh_environment_get(const wchar_t *block, const wchar_t *name);

#endif
