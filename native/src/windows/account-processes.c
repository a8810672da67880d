#include "account-processes.h"

#include <aclapi.h>
#include <stdbool.h>
#include <tlhelp32.h>

/* Milliseconds that one process may take to be gone once it was told to. */
#define PATIENCE 5000u

/* An account under which processes are born faster than they are ended is not handed on. */
#define ROUNDS 20

union user_facts {
  TOKEN_USER user;
  BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static bool runs_under(HANDLE process, PSID user) {
  union user_facts facts;
  HANDLE token;
  DWORD size;
  if (!OpenProcessToken(process, TOKEN_QUERY, &token)) return false;
  const bool is = GetTokenInformation(token, TokenUser, &facts, sizeof(facts), &size) && EqualSid(facts.user.User.Sid, user);
  CloseHandle(token);
  return is;
}

static bool owned_by(HANDLE process, PSID user) {
  PSECURITY_DESCRIPTOR descriptor = NULL;
  PSID owner = NULL;
  if (GetSecurityInfo(process, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor)) return false;
  const bool is = owner && EqualSid(owner, user);
  LocalFree(descriptor);
  return is;
}

/*
 * A process may be sealed against its own user, as agents' are. Whoever owns an object may always write its access list anew, unless an
 * entry for OWNER RIGHTS says otherwise ("Access Control Entries").
 */
static HANDLE unsealed(DWORD pid, PSID user) {
  HANDLE process = OpenProcess(READ_CONTROL | WRITE_DAC, FALSE, pid);
  if (!process) return NULL;
  HANDLE opened = NULL;
  /* No list at all: everybody may do everything, for the moment that is left to it. */
  if (owned_by(process, user) && SetSecurityInfo(process, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL) == 0)
    opened = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
  CloseHandle(process);
  return opened;
}

static uint32_t end(HANDLE process) {
  if (!TerminateProcess(process, 1)) {
    const uint32_t error = GetLastError();
    /* One that is ending already says so with this. */
    return WaitForSingleObject(process, PATIENCE) == WAIT_OBJECT_0 ? 0 : error;
  }
  return WaitForSingleObject(process, PATIENCE) == WAIT_OBJECT_0 ? 0 : ERROR_TIMEOUT;
}

/* Sets *found when the process is one of the user's. */
static uint32_t end_if_theirs(DWORD pid, PSID user, bool *found) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
  if (process && !runs_under(process, user)) {
    CloseHandle(process);
    return 0;
  }
  if (!process) process = unsealed(pid, user);
  /* Neither open to this user nor owned by it: somebody else's, or gone meanwhile. */
  if (!process) return 0;
  *found = true;
  const uint32_t error = end(process);
  CloseHandle(process);
  return error;
}

static uint32_t one_round(PSID user, bool *found) {
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (snapshot == INVALID_HANDLE_VALUE) return GetLastError();
  PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
  uint32_t first_error = 0;
  for (BOOL more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry)) {
    if (entry.th32ProcessID == 0 || entry.th32ProcessID == GetCurrentProcessId()) continue;
    const uint32_t error = end_if_theirs(entry.th32ProcessID, user, found);
    if (!first_error) first_error = error;
  }
  CloseHandle(snapshot);
  return first_error;
}

/* An administrator's way to processes of others. Whether it could be had shows in what can be opened. */
static void want_debug(void) {
  TOKEN_PRIVILEGES wanted = {1, {{{0, 0}, SE_PRIVILEGE_ENABLED}}};
  HANDLE token;
  if (!LookupPrivilegeValueW(NULL, SE_DEBUG_NAME, &wanted.Privileges[0].Luid)) return;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token)) return;
  AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
  CloseHandle(token);
}

uint32_t bh_account_processes_end(PSID user) {
  want_debug();
  for (int round = 0; round < ROUNDS; round++) {
    bool found = false;
    const uint32_t error = one_round(user, &found);
    if (error || !found) return error;
  }
  return ERROR_BUSY;
}
