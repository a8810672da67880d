#include <windows.h>
/* After windows.h. */
#include <sddl.h>

#include "bulkhead.h"
#include "library.h"
#include "seal.h"

uint32_t bulkhead_abi(void) {
  return BH_ABI_VERSION;
}

static HANDLE job;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/*
 * Unnamed, so nobody can open it; never inherited, so this process holds the only handle and the kernel closes it with the process. What a
 * member starts is not in it: the launcher's children are in the launcher's own job, which could have no limits on windows if it were nested.
 */
static BOOL CALLBACK make_job(PINIT_ONCE unused, PVOID parameter, PVOID *context) {
  (void)unused;
  (void)parameter;
  (void)context;
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  HANDLE made = CreateJobObjectW(NULL, NULL);
  if (!made) return FALSE;
  if (!SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) {
    const DWORD error = GetLastError();
    CloseHandle(made);
    SetLastError(error);
    return FALSE;
  }
  job = made;
  return TRUE;
}

uint32_t bulkhead_guard(uint32_t pid) {
  if (!InitOnceExecuteOnce(&once, make_job, NULL, NULL)) return GetLastError();
  HANDLE process = OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE, FALSE, pid);
  if (!process) return GetLastError();
  const DWORD error = AssignProcessToJobObject(job, process) ? 0 : GetLastError();
  CloseHandle(process);
  return error;
}

uint32_t bulkhead_seal(void) {
  struct bh_fault fault;
  return bh_seal(&fault) == 0 ? 0 : fault.code;
}

uint32_t bulkhead_start_time(uint32_t pid, uint64_t *time) {
  FILETIME created, exited, kernel, user;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  if (!process) return GetLastError();
  DWORD error = GetProcessTimes(process, &created, &exited, &kernel, &user) ? 0 : GetLastError();
  /* A process object stays as long as anybody has a handle to it: one that has ended is not there any more. */
  if (error == 0 && WaitForSingleObject(process, 0) == WAIT_OBJECT_0) error = ERROR_INVALID_PARAMETER;
  CloseHandle(process);
  *time = (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
  return error;
}

uint32_t bulkhead_user(wchar_t *sid, uint32_t room) {
  union {
    TOKEN_USER user;
    BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } owner;
  DWORD size = 0;
  wchar_t *text = NULL;
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return GetLastError();
  DWORD error = GetTokenInformation(token, TokenUser, &owner, sizeof(owner), &size) ? 0 : GetLastError();
  CloseHandle(token);
  if (error == 0 && !ConvertSidToStringSidW(owner.user.User.Sid, &text)) error = GetLastError();
  if (error == 0 && wcslen(text) >= room) error = ERROR_INSUFFICIENT_BUFFER;
  if (error == 0) wcscpy(sid, text);
  LocalFree(text);
  return error;
}
