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

/* True for a group that an agent must not be an active member of. */
bool bh_group_is_powerful(PSID group);

#endif
