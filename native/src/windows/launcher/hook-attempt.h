/* Finding out whether the hook is at work in this very process. */
#ifndef BULKHEAD_HOOK_ATTEMPT_H
#define BULKHEAD_HOOK_ATTEMPT_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/*
 * Does what rules on `act` watch, to an object that only the hook has an opinion on (hook-proof.h). Returns ERROR_ACCESS_DENIED when the hook
 * answered, 0 when the act succeeded, otherwise what the system said; a refusal that is not the hook's is ERROR_CAN_NOT_COMPLETE.
 * ERROR_INVALID_PARAMETER for an act that does not exist.
 */
uint32_t bh_hook_attempt(const char *act);

/* `none`, or `ready hooks=<calls hooked> rules=<rules>`. Returns 0. */
uint32_t bh_hook_status(char *value, size_t size);

/*
 * The feature `hook-injection`: really brings the DLL into a process that is made for it and ended. Returns 0, or a Win32 error with the
 * step in `reason`.
 */
uint32_t bh_hook_feature(const wchar_t *dll, char *reason, size_t size);

#endif
