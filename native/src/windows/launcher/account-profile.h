/* What an account's profile may keep from one agent to the next. */
#ifndef BULKHEAD_ACCOUNT_PROFILE_H
#define BULKHEAD_ACCOUNT_PROFILE_H

#include <stdint.h>
#include <windows.h>

/*
 * Deletes everything in the directory for temporary files of the token's profile; links are deleted and not followed. An agent cannot write
 * there, but a service that works for it may. Returns 0 or a Win32 error; then something is left.
 */
uint32_t bh_account_profile_empty(HANDLE token);

#endif
