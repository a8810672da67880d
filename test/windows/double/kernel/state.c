#include "state.h"

#include <stddef.h>
#include <string.h>

bd_state *bd_shared;
WCHAR bd_directory[MAX_PATH], bd_dll[MAX_PATH];
static DWORD depth_slot = TLS_OUT_OF_INDEXES;

/* The thread's slot is read from the TEB itself: TlsGetValue would set the last error. */
BYTE *bd_teb(void) {
  BYTE *self;
  __asm__("movq %%gs:0x30, %0" : "=r"(self));
  return self;
}

static void **slot(void) {
  return (void **)(bd_teb() + 0x1480) + depth_slot;
}

static DWORD *last_error(void) {
  return (DWORD *)(bd_teb() + 0x68);
}

/* The lower half counts how deep the double is in itself, the upper half holds flags. */
#define DEPTH 0xffffffffull

BOOL bd_inside(void) {
  return ((ULONG_PTR)*slot() & DEPTH) != 0;
}

void bd_thread_set(enum bd_thread_flag flag, BOOL on) {
  ULONG_PTR value = (ULONG_PTR)*slot(), bit = (ULONG_PTR)flag << 32;
  *slot() = (void *)(on ? value | bit : value & ~bit);
}

BOOL bd_thread_is(enum bd_thread_flag flag) {
  return ((ULONG_PTR)*slot() & (ULONG_PTR)flag << 32) != 0;
}

bd_frame bd_enter(void) {
  bd_frame frame = {*last_error()};
  *slot() = (void *)((ULONG_PTR)*slot() + 1);
  return frame;
}

void bd_leave(bd_frame frame) {
  *slot() = (void *)((ULONG_PTR)*slot() - 1);
  *last_error() = frame.last_error;
}

BOOL bd_alive(DWORD pid) {
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
  CLIENT_ID id = {(HANDLE)(ULONG_PTR)pid, NULL};
  HANDLE process;
  LARGE_INTEGER now = {0};
  if (!pid) return FALSE;
  NTSTATUS status = bd_real(NtOpenProcess)(&process, SYNCHRONIZE, &attributes, &id);
  /* Not to be opened is not to be dead. */
  if (status) return status == STATUS_ACCESS_DENIED;
  BOOL ended = NtWaitForSingleObject(process, FALSE, &now) == STATUS_SUCCESS;
  NtClose(process);
  return !ended;
}

/** A lock word in shared memory: the process in the high half, the thread in the low one. Agents are killed at any moment, so a dead owner loses it. */
void bd_lock(void) {
  const LONG64 mine = (LONG64)GetCurrentProcessId() << 32 | GetCurrentThreadId();
  for (unsigned tries = 1;; tries++) {
    LONG64 owner = InterlockedCompareExchange64(&bd_shared->lock, mine, 0);
    if (owner == 0) return;
    if (tries % 64 == 0 && !bd_alive((DWORD)(owner >> 32))) InterlockedCompareExchange64(&bd_shared->lock, 0, owner);
    if (tries < 32) YieldProcessor();
    else Sleep(tries < 64 ? 0 : 1);
  }
}

void bd_unlock(void) {
  InterlockedExchange64(&bd_shared->lock, 0);
}

static BOOL directory_of(HMODULE module) {
  DWORD length = GetModuleFileNameW(module, bd_dll, MAX_PATH);
  if (!length || length >= MAX_PATH) return FALSE;
  wcscpy(bd_directory, bd_dll);
  WCHAR *slash = wcsrchr(bd_directory, L'\\');
  if (!slash) return FALSE;
  *slash = 0;
  return TRUE;
}

BOOL bd_state_open(HMODULE module) {
  WCHAR path[MAX_PATH + 16];
  LARGE_INTEGER size = {.QuadPart = sizeof(bd_state)}, have;
  if (!directory_of(module)) return FALSE;
  depth_slot = TlsAlloc();
  /* Later slots live elsewhere. */
  if (depth_slot >= 64) return FALSE;
  wcscpy(path, bd_directory);
  wcscat(path, L"\\state.dat");
  HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return FALSE;
  if (GetFileSizeEx(file, &have) && have.QuadPart < size.QuadPart && SetFilePointerEx(file, size, NULL, FILE_BEGIN)) SetEndOfFile(file);
  HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0, NULL);
  bd_shared = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(bd_state)) : NULL;
  if (section) CloseHandle(section);
  CloseHandle(file);
  if (!bd_shared) return FALSE;
  if (bd_shared->magic == 0) {
    bd_shared->size = sizeof(bd_state);
    bd_shared->magic = BD_MAGIC;
  }
  return bd_shared->magic == BD_MAGIC && bd_shared->size == sizeof(bd_state);
}
