/*
 * Getting the hook DLL and its policy into a process that was created suspended. Shared by the launcher, for the first process of a
 * sandbox, and by the hook DLL itself, for every descendant.
 *
 * How: LoadLibraryW on a thread of the new process, then the DLL's own `bulkhead_hook_start` on a second one, whose argument is a copy of
 * the policy in the new process's memory. No environment variable, file or name that somebody else could have made first is involved. The
 * DLL's answer is then read back from its memory. Whatever goes wrong, the caller ends the process: it must not run unwatched.
 *
 * The first thread of a new process initialises it (Win32: "Dynamic-Link Library Best Practices", LdrInitializeThunk). So initialisers of
 * DLLs that the program imports statically and its TLS callbacks have run before the hooks are in; its entry point has not.
 */
#ifndef BULKHEAD_INJECT_H
#define BULKHEAD_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>
#include <windows.h>

struct bh_blob {
  uint8_t *bytes;
  size_t length;
};

/*
 * Exported by the DLL as data: what became of it. Written before the start thread ends, `proofs` also after. `digest` names the
 * policy that is in force.
 */
struct bh_hook_state {
  uint32_t magic; /* BH_HOOK_STATE_MAGIC once everything is in place, otherwise 0 */
  uint32_t version; /* BH_HOOK_POLICY_VERSION */
  uint32_t hooks; /* system calls and functions that are hooked */
  uint32_t rules;
  uint64_t digest;
  uint32_t proofs; /* attempts that were answered while rules sleep (hook-proof.h) */
};
#define BH_HOOK_STATE_MAGIC 0x42485244u

/* What `bulkhead_hook_start` gets, in the memory of the new process. */
struct bh_hook_letter {
  uint64_t policy; /* address */
  uint64_t length;
};

/*
 * `process` needs PROCESS_CREATE_THREAD, PROCESS_QUERY_INFORMATION, PROCESS_VM_OPERATION, PROCESS_VM_READ and PROCESS_VM_WRITE; its first
 * thread must not have run yet. Returns 0, or a Win32 error with *step naming what failed. Takes about 5 ms.
 * ERROR_NOT_SUPPORTED: the process is not of this machine's 64-bit kind (bh_process_is_foreign).
 */
uint32_t bh_inject(HANDLE process, const wchar_t *dll, const struct bh_blob *policy, const char **step);

/* The same, for whoever has the DLL loaded already: its module. Needs no lock of the loader. */
uint32_t bh_inject_from(HMODULE own, HANDLE process, const wchar_t *dll, const struct bh_blob *policy, const char **step);

/* True when the process is a 32-bit one, which a 64-bit DLL cannot enter; also when that cannot be found out. */
bool bh_process_is_foreign(HANDLE process);

#endif
