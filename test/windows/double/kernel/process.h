/* Processes and threads: their descriptors, and how the double gets into every child. */
#ifndef BD_PROCESS_H
#define BD_PROCESS_H

#include "state.h"

enum bd_kind { BD_KIND_OTHER, BD_KIND_FILE, BD_KIND_PROCESS, BD_KIND_THREAD, BD_KIND_TOKEN };
enum bd_kind bd_kind_of(HANDLE handle);

/** The descriptor of the process or thread behind a handle. */
NTSTATUS bd_object_descriptor(HANDLE handle, enum bd_kind kind, bd_sd *sd);
NTSTATUS bd_object_store(HANDLE handle, enum bd_kind kind, const bd_sd *sd);

/** Notes a process with the token it runs under; NULL descriptors: the token's default DACL. */
NTSTATUS bd_process_note(DWORD pid, const bd_token *token, const void *process_descriptor, const void *thread_descriptor);
/** Has the first thread of a suspended process load the double before its first instruction. */
NTSTATUS bd_inject(HANDLE process, HANDLE thread);

#endif
