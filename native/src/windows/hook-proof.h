/*
 * The attempts that prove, before the agent starts, that the hook is there and reads what it is given: acts on objects that no policy names
 * and no wall has an opinion on, answered with a status that only the hook gives. While walls are attacked rules sleep (docs/decisions/0006),
 * and only these are answered.
 */
#ifndef BULKHEAD_HOOK_PROOF_H
#define BULKHEAD_HOOK_PROOF_H

/* A status of our own: severity error, customer bit (Win32: "NTSTATUS values"). */
#define BH_HOOK_PROOF_STATUS 0xE0424801u

/* A path below a directory that does not exist, a key below one that does not, an address of the reserved range, a name. */
#define BH_HOOK_PROOF_PATH L"\\??\\C:\\bulkhead.proof\\of.the.hook"
#define BH_HOOK_PROOF_KEY L"\\Registry\\Machine\\SOFTWARE\\bulkhead.proof\\of.the.hook"
#define BH_HOOK_PROOF_PORT 9
#define BH_HOOK_PROOF_NAME L"bulkhead.proof"

#endif
