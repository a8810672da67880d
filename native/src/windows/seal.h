/*
 * Closing this process to the agents it supervises. An agent of the same user passes the user's half of every access check; what stops it is
 * the half of its restricting SIDs, and that half is not asked about reading by a write-restricted token. So nothing that this process
 * keeps in memory may be readable by the user at all.
 */
#ifndef BULKHEAD_SEAL_H
#define BULKHEAD_SEAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Replaces the access list of this process: SYSTEM may do everything; its user may wait for it and see that it is there (and end it, when
 * `may_end`), but not read or write its memory, duplicate its handles or make threads in it, nor change this list again (OWNER RIGHTS).
 * Returns 0 or a Win32 error.
 */
uint32_t bh_seal_process(bool may_end);

/*
 * The same for the process's token, the calling thread, and everything that is made from now on without an access list of its own. The
 * token can then not be opened for more than looking at it, also by this process: what needs more must have it already.
 */
uint32_t bh_seal_token(void);

#endif
