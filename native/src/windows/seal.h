/*
 * Closing this process to the agents it supervises. An agent of the same user passes the user's half of every access check; what stops it is
 * the half of its restricting SIDs, and a write-restricted token is not asked for that half where reading, ending a process or borrowing a
 * token is concerned. So none of these may be the user's.
 */
#ifndef BULKHEAD_SEAL_H
#define BULKHEAD_SEAL_H

#include "fault.h"

/*
 * Replaces the access lists of this process and of its token. SYSTEM may do everything. Its user may wait for it and see that it is there, but not end it,
 * read or write its memory, duplicate its handles or make threads in it; look at the token and adjust it, but not duplicate it or act with it;
 * and not change these lists again (OWNER RIGHTS). Handles that exist keep their rights. Returns 0 or -1.
 */
int bh_seal(struct bh_fault *fault);

/* The calling thread too, and everything that this process makes from now on without an access list of its own. Returns 0 or -1. */
int bh_seal_objects(struct bh_fault *fault);

#endif
