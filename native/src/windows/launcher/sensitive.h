/* Calls that an agent must not succeed with, made so that success harms nothing. A closed list. */
#ifndef BULKHEAD_SENSITIVE_H
#define BULKHEAD_SENSITIVE_H

#include <stdint.h>

/* Returns 0 when it succeeded, a Win32 error when not; ERROR_INVALID_PARAMETER for a name that is not on the list. */
uint32_t bh_sensitive(const char *name);

#endif
