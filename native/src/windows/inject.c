#include "inject.h"

#include <psapi.h>
#include <winternl.h>

#include "hook-policy.h"

/* A new process may have to load every DLL of its program first. */
#define PATIENCE 30000u
#define MODULES 256

/* Not in the headers of every compiler: PROCESSINFOCLASS. */
#define PROCESS_WOW64_INFORMATION 26

bool bh_process_is_foreign(HANDLE process) {
  ULONG_PTR peb32 = 0;
  const NTSTATUS status = NtQueryInformationProcess(process, (PROCESSINFOCLASS)PROCESS_WOW64_INFORMATION, &peb32, sizeof(peb32), NULL);
  return status < 0 || peb32 != 0;
}

struct attempt {
  HANDLE process, thread;
  HANDLE event, their_event; /* the same event here and there */
  const char *step;
  uint32_t error;
};

static bool failed(struct attempt *attempt, const char *step, uint32_t error) {
  attempt->step = step;
  attempt->error = error != 0 ? error : ERROR_GEN_FAILURE;
  return false;
}

NTSYSAPI NTSTATUS NTAPI NtQueueApcThread(HANDLE thread, const void *function, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c);

/* QueueUserAPC would pass the caller's activation context on, which means nothing in another process. */
static bool queue(const struct attempt *attempt, const void *function, ULONG_PTR argument) {
  const NTSTATUS status = NtQueueApcThread(attempt->thread, function, argument, 0, 0);
  if (status < 0) SetLastError(RtlNtStatusToDosError(status));
  return status >= 0;
}

/* It has said that it is about to suspend itself; until it has, it must not be let go. */
static bool await_suspended(const struct attempt *attempt) {
  for (DWORD waited = 0; waited < PATIENCE; waited++) {
    const DWORD before = SuspendThread(attempt->thread);
    if (before == (DWORD)-1) return false;
    ResumeThread(attempt->thread);
    if (before > 0) return true;
    Sleep(1);
  }
  SetLastError(ERROR_TIMEOUT);
  return false;
}

/* Lets the thread call `function(argument)`, and nothing more. */
static bool run(struct attempt *attempt, const char *step, const void *function, const void *argument) {
  const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  const HANDLE either[2] = {attempt->event, attempt->process};
  /* (HANDLE)-2 is the thread itself, to itself. */
  if (!queue(attempt, function, (ULONG_PTR)argument) ||
      !queue(attempt, (const void *)GetProcAddress(kernel, "SetEvent"), (ULONG_PTR)attempt->their_event) ||
      !queue(attempt, (const void *)GetProcAddress(kernel, "SuspendThread"), (ULONG_PTR)-2) || ResumeThread(attempt->thread) == (DWORD)-1) {
    return failed(attempt, step, GetLastError());
  }
  switch (WaitForMultipleObjects(2, either, FALSE, PATIENCE)) {
    case WAIT_OBJECT_0: return await_suspended(attempt) ? true : failed(attempt, step, GetLastError());
    case WAIT_OBJECT_0 + 1: {
      /* The DLL ends the process when it cannot do its work; so may the loader. */
      DWORD code = 0;
      GetExitCodeProcess(attempt->process, &code);
      return failed(attempt, step, code);
    }
    case WAIT_TIMEOUT: return failed(attempt, step, ERROR_TIMEOUT);
    default: return failed(attempt, step, GetLastError());
  }
}

static size_t length_of(const wchar_t *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

static bool same_tail(const wchar_t *a, const wchar_t *b) {
  size_t i = length_of(a), k = length_of(b);
  while (i > 0 && k > 0 && a[i - 1] != '\\' && b[k - 1] != '\\') {
    if ((a[--i] | 32) != (b[--k] | 32)) return false;
  }
  return (i == 0 || a[i - 1] == '\\') && (k == 0 || b[k - 1] == '\\');
}

static bool find_module(struct attempt *attempt, const wchar_t *dll, HMODULE *module) {
  HMODULE modules[MODULES];
  DWORD bytes = 0;
  if (!K32EnumProcessModulesEx(attempt->process, modules, sizeof(modules), &bytes, LIST_MODULES_64BIT)) {
    return failed(attempt, "finding the hook", GetLastError());
  }
  for (size_t i = 0; i < bytes / sizeof(HMODULE) && i < MODULES; i++) {
    wchar_t name[MAX_PATH + 1];
    const DWORD got = K32GetModuleBaseNameW(attempt->process, modules[i], name, MAX_PATH);
    name[got < MAX_PATH ? got : MAX_PATH] = 0;
    if (got == 0 || !same_tail(dll, name)) continue;
    *module = modules[i];
    return true;
  }
  return failed(attempt, "loading the hook", ERROR_MOD_NOT_FOUND);
}

static void *moved(HMODULE from, HMODULE to, const void *address) {
  return (void *)((uintptr_t)to + ((uintptr_t)address - (uintptr_t)from));
}

static bool confirm(struct attempt *attempt, const void *address, const struct bh_blob *policy) {
  struct bh_hook_state state;
  SIZE_T got = 0;
  if (!ReadProcessMemory(attempt->process, address, &state, sizeof(state), &got) || got != sizeof(state)) {
    return failed(attempt, "asking the hook", GetLastError());
  }
  const uint64_t digest = bh_hook_digest(policy->bytes + BH_HOOK_POLICY_HEAD, policy->length - BH_HOOK_POLICY_HEAD);
  if (state.magic != BH_HOOK_STATE_MAGIC || state.version != BH_HOOK_POLICY_VERSION || state.digest != digest) {
    return failed(attempt, "asking the hook", ERROR_REVISION_MISMATCH);
  }
  return true;
}

/* One piece of memory for all: letter | path | policy, each aligned to 16. */
static bool deliver(struct attempt *attempt, const wchar_t *dll, const struct bh_blob *policy, HMODULE own) {
  const size_t path_at = (sizeof(struct bh_hook_letter) + 15) / 16 * 16;
  const size_t path = (length_of(dll) + 1) * sizeof(wchar_t);
  const size_t policy_at = (path_at + path + 15) / 16 * 16;
  uint8_t *memory = VirtualAllocEx(attempt->process, NULL, policy_at + policy->length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (!memory) return failed(attempt, "making room for the policy", GetLastError());
  const struct bh_hook_letter letter = {(uint64_t)(uintptr_t)(memory + policy_at), policy->length};
  const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  void *start = (void *)GetProcAddress(own, "bulkhead_hook_start");
  void *state = (void *)GetProcAddress(own, "bulkhead_hook_state");
  HMODULE module = NULL;
  bool ok = false;
  if (!start || !state) {
    failed(attempt, "reading the hook", ERROR_PROC_NOT_FOUND);
  } else if (!WriteProcessMemory(attempt->process, memory, &letter, sizeof(letter), NULL) ||
             !WriteProcessMemory(attempt->process, memory + path_at, dll, path, NULL) ||
             !WriteProcessMemory(attempt->process, memory + policy_at, policy->bytes, policy->length, NULL)) {
    failed(attempt, "handing over the policy", GetLastError());
  } else {
    ok = run(attempt, "loading the hook", (const void *)GetProcAddress(kernel, "LoadLibraryW"), memory + path_at) &&
         find_module(attempt, dll, &module) && run(attempt, "starting the hook", moved(own, module, start), memory) &&
         confirm(attempt, moved(own, module, state), policy);
  }
  VirtualFreeEx(attempt->process, memory, 0, MEM_RELEASE);
  return ok;
}

/* An event that both processes have a handle to. */
static bool share_event(struct attempt *attempt) {
  attempt->event = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!attempt->event) return failed(attempt, "making an event", GetLastError());
  if (DuplicateHandle(GetCurrentProcess(), attempt->event, attempt->process, &attempt->their_event, EVENT_MODIFY_STATE, FALSE, 0)) return true;
  return failed(attempt, "making an event", GetLastError());
}

uint32_t bh_inject_from(HMODULE own, HANDLE process, HANDLE thread, const wchar_t *dll, const struct bh_blob *policy, const char **step) {
  struct attempt attempt = {.process = process, .thread = thread, .step = ""};
  *step = "";
  if (policy->length < BH_HOOK_POLICY_HEAD) {
    *step = "reading the policy";
    return ERROR_INVALID_DATA;
  }
  if (bh_process_is_foreign(process)) {
    *step = "entering a 32-bit process";
    return ERROR_NOT_SUPPORTED;
  }
  if (share_event(&attempt)) deliver(&attempt, dll, policy, own);
  HANDLE gone = NULL;
  if (attempt.their_event && DuplicateHandle(process, attempt.their_event, GetCurrentProcess(), &gone, 0, FALSE, DUPLICATE_CLOSE_SOURCE)) {
    CloseHandle(gone);
  }
  if (attempt.event) CloseHandle(attempt.event);
  *step = attempt.step;
  return attempt.error;
}

/* The launcher's own copy of the DLL is mapped without running any of it. */
uint32_t bh_inject(HANDLE process, HANDLE thread, const wchar_t *dll, const struct bh_blob *policy, const char **step) {
  HMODULE own = LoadLibraryExW(dll, NULL, DONT_RESOLVE_DLL_REFERENCES);
  if (!own) {
    *step = "reading the hook";
    return GetLastError();
  }
  const uint32_t error = bh_inject_from(own, process, thread, dll, policy, step);
  FreeLibrary(own);
  return error;
}
