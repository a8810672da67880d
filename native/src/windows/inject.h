/*
 * Getting the hook DLL and its policy into a process that was created suspended. Shared by the launcher, for the first process of a
 * sandbox, and by the hook DLL itself, for every descendant.
 *
 * How: the process's own first thread does it, before its entry point, in asynchronous procedure calls (Win32: QueueUserAPC) that are there
 * when it comes out of the loader: LoadLibraryW, then the DLL's own `bulkhead_hook_start`, whose argument is a copy of the policy in the new
 * process's memory. After each it suspends itself. No environment variable, file or name that somebody else could have made first is
 * involved. The DLL's answer is then read back from its memory. Whatever goes wrong, the caller ends the process: it must not run unwatched.
 *
 * No thread of ours runs there, because the first thread that runs initialises the process, and some libraries take the thread that
 * initialised them for the program's main thread: Cygwin's, and so MSYS's and Git's bash.
 *
 * What runs before the hooks are in: initialisers of DLLs that the program imports statically, and its TLS callbacks. Not its entry point.
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
 * `process` needs PROCESS_DUP_HANDLE, PROCESS_QUERY_INFORMATION, PROCESS_VM_OPERATION, PROCESS_VM_READ, PROCESS_VM_WRITE and SYNCHRONIZE;
 * `thread` is its first thread, which has not run yet, suspended once, with THREAD_SET_CONTEXT and THREAD_SUSPEND_RESUME. Returns 0 with the
 * thread suspended once again, or a Win32 error with *step naming what failed. Takes a few milliseconds.
 * ERROR_NOT_SUPPORTED: the process is not of this machine's 64-bit kind (bh_process_is_foreign).
 */
uint32_t bh_inject(HANDLE process, HANDLE thread, const wchar_t *dll, const struct bh_blob *policy, const char **step);

/* The same, for whoever has the DLL loaded already: its module. Needs no lock of the loader. */
uint32_t bh_inject_from(HMODULE own, HANDLE process, HANDLE thread, const wchar_t *dll, const struct bh_blob *policy, const char **step);

/* True when the process is a 32-bit one, which a 64-bit DLL cannot enter; also when that cannot be found out. */
bool bh_process_is_foreign(HANDLE process);

#endif
