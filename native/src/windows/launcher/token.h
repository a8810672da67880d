/* The restricted token of one sandbox. */
#ifndef BULKHEAD_TOKEN_H
#define BULKHEAD_TOKEN_H

#include <stdbool.h>
#include <windows.h>

#include "fault.h"
#include "spec.h"

/*
 * Makes it from this process's own token: no privilege but SeChangeNotifyPrivilege, groups with power deny-only, restricting SIDs in the
 * order workspace, launch, further ones; lowered integrity; an own default access list. What the system really made of it is not checked
 * here: the attempts of the layers are there for that. Returns 0 with a primary token, or -1.
 */
int bh_token_make(const struct bh_spec *spec, HANDLE *token, struct bh_fault *fault);

/*
 * What the agent's processes, threads and tokens, and whatever they make without saying otherwise, is guarded with. Its own user for the
 * first half of each check, the launch's SID for the second: another agent of the same user has another one and does not get in. To be
 * freed with LocalFree; NULL with a Win32 error.
 */
PSECURITY_DESCRIPTOR bh_launch_descriptor(const struct bh_spec *spec);

/* True for a group that an agent must not be an active member of. */
bool bh_group_is_powerful(PSID group);

#endif
