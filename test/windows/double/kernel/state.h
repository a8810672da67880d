/* What all processes of one run share: a file that is mapped into each of them. */
#ifndef BD_STATE_H
#define BD_STATE_H

#include "model.h"
#include "nt.h"

enum { BD_MAX_TOKENS = 4096, BD_MAX_PROCESSES = 1024, BD_MAX_FILES = 8192, BD_FILE_HEADS = 4096, BD_MAX_OBJECTS = 512, BD_PATH = 640 };
#define BD_MAGIC 0x32644442u

typedef struct {
  DWORD pid; /* 0: free */
  DWORD unused;
  LUID token;
  bd_sid user;
  bd_sd sd;        /* of the process object */
  bd_sd thread_sd; /* of threads that were given none */
} bd_process;

enum { BD_FILE_RAW = 1, BD_FILE_DEFAULT = 2 };

/** The security descriptor of one path. Without BD_FILE_RAW only what is explicit is stored and the rest comes from the parent. */
typedef struct {
  DWORD used, flags, hash, next; /* next: index + 1 */
  WCHAR path[BD_PATH];
  bd_sd sd;
} bd_file;

/** A thread or a named pipe with a descriptor of its own. */
typedef struct {
  DWORD owner_pid; /* 0: free */
  DWORD tid;       /* a thread, otherwise 0 */
  WCHAR name[256]; /* a pipe */
  bd_sd sd;
} bd_object;

enum { BD_MAX_ACCOUNTS = 64, BD_MAX_LOCAL_GROUPS = 32, BD_MAX_MEMBERS = 64, BD_MAX_RIGHTS = 64, BD_RIGHTS_EACH = 12 };

typedef struct {
  DWORD rid; /* 0: free */
  DWORD flags; /* UF_* */
  WCHAR name[24], password[260], comment[260], full_name[64];
} bd_account;

typedef struct {
  BOOL used;
  bd_sid sid;
  DWORD member_count;
  WCHAR name[260], comment[260];
  bd_sid members[BD_MAX_MEMBERS];
} bd_local_group;

/** What LsaAddAccountRights gave to a SID. */
typedef struct {
  bd_sid sid; /* none: free */
  DWORD count;
  WCHAR names[BD_RIGHTS_EACH][48];
} bd_rights;

/** A profile that a logon made: it outlives the account. */
typedef struct {
  bd_sid sid; /* none: free */
  WCHAR path[MAX_PATH];
} bd_profile;

typedef struct {
  DWORD magic, size;
  volatile LONG64 lock;
  volatile LONG call_number;
  DWORD numbers[BD_HOOK_COUNT];
  DWORD configured, enforce, elevated, pipe_checks;
  WCHAR prefix[BD_PATH]; /* Wine's directory as seen below Z: */
  bd_sid machine_user;
  DWORD file_count, process_count, object_count, file_free; /* high-water marks; file_free: index + 1 of the first free slot */
  DWORD file_heads[BD_FILE_HEADS];
  DWORD next_rid;
  bd_account accounts[BD_MAX_ACCOUNTS];
  bd_local_group groups[BD_MAX_LOCAL_GROUPS];
  bd_rights rights[BD_MAX_RIGHTS];
  bd_profile profiles[BD_MAX_ACCOUNTS];
  bd_token tokens[BD_MAX_TOKENS];
  bd_process processes[BD_MAX_PROCESSES];
  bd_object objects[BD_MAX_OBJECTS];
  bd_file files[BD_MAX_FILES];
} bd_state;

extern bd_state *bd_shared;
extern WCHAR bd_directory[MAX_PATH], bd_dll[MAX_PATH];

/** Maps the state in the directory of the DLL `module`; makes it when it is not there. */
BOOL bd_state_open(HMODULE module);
void bd_lock(void);
void bd_unlock(void);
BOOL bd_alive(DWORD pid);

/** PROPAGATES: the thread changes descriptors the way SetNamedSecurityInfo does. SERVICE: it acts as a service of the system for the caller. */
enum bd_thread_flag { BD_THREAD_PROPAGATES = 1, BD_THREAD_SERVICE = 2 };
void bd_thread_set(enum bd_thread_flag flag, BOOL on);
BOOL bd_thread_is(enum bd_thread_flag flag);

/** Hooks call the system, which would call the hooks again; last error is the caller's. */
typedef struct {
  DWORD last_error;
} bd_frame;
/** The thread's TEB; mingw's own way to it trips the compiler's warnings. */
BYTE *bd_teb(void);
BOOL bd_inside(void);
bd_frame bd_enter(void);
void bd_leave(bd_frame frame);

#endif
