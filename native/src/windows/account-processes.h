/* Everything that runs under an account. */
#ifndef BULKHEAD_ACCOUNT_PROCESSES_H
#define BULKHEAD_ACCOUNT_PROCESSES_H

#include <stdint.h>
#include <windows.h>

/*
 * Ends every process whose token belongs to `user`, but this one, and waits until they are gone; what they start meanwhile is ended too.
 * Works as that very user, also where a process's access list shuts it out, and as an administrator. Returns 0, ERROR_BUSY when there are
 * always new ones, or the error of one that could not be ended: then it is not certain that nothing is left.
 */
uint32_t bh_account_processes_end(PSID user);

#endif
