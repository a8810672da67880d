/*
 * The attempts that prove, before the agent starts, that the hook stands before a call and reads what it is given: acts on objects that no
 * policy names and that do not exist. While walls are attacked rules sleep (docs/decisions/0006), and only these are answered: with
 * STATUS_ACCESS_DENIED, and with one more in `bulkhead_hook_state.proofs`, because a wall may refuse as well.
 */
#ifndef BULKHEAD_HOOK_PROOF_H
#define BULKHEAD_HOOK_PROOF_H

#define BH_HOOK_PROOF_PATH L"C:\\bulkhead.proof\\of.the.hook"
/* Below HKEY_LOCAL_MACHINE. */
#define BH_HOOK_PROOF_KEY L"SOFTWARE\\bulkhead.proof\\of.the.hook"
/* Of the reserved range, which no machine has and no route leads to. */
#define BH_HOOK_PROOF_ADDRESS "240.0.0.1"
#define BH_HOOK_PROOF_PORT 9
#define BH_HOOK_PROOF_NAME L"bulkhead.proof"
/* A file's mode can only be changed through a handle, which needs a file: the proof is this time, in 100 ns since 1601, and any handle. */
#define BH_HOOK_PROOF_TIME 0x42484B50524F4F46ll

#endif
