#include "wfp.h"

#include <stdio.h>
#include <string.h>

bd_wfp *bd_wfp_shared;

/* fwpmu.h, "Access Right Identifiers". */
const GENERIC_MAPPING bd_map_engine = {0x200d4 | 0x100, 0x2040b, 0x20220, 0xf07ff};

static BOOL alive(DWORD pid) {
  HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
  /* Not to be opened is not to be dead. */
  if (!process) return GetLastError() == ERROR_ACCESS_DENIED;
  BOOL ended = WaitForSingleObject(process, 0) == 0 /* signalled */;
  CloseHandle(process);
  return !ended;
}

void bd_wfp_lock(void) {
  const LONG64 mine = (LONG64)GetCurrentProcessId() << 32 | GetCurrentThreadId();
  for (unsigned tries = 1;; tries++) {
    LONG64 owner = InterlockedCompareExchange64(&bd_wfp_shared->lock, mine, 0);
    if (owner == 0) return;
    if (tries % 64 == 0 && !alive((DWORD)(owner >> 32))) InterlockedCompareExchange64(&bd_wfp_shared->lock, 0, owner);
    Sleep(tries < 64 ? 0 : 1);
  }
}

void bd_wfp_unlock(void) {
  InterlockedExchange64(&bd_wfp_shared->lock, 0);
}

/** "Access Control" (Windows Filtering Platform): what an engine has when nobody changed it. */
static const char engine_access[] = "O:SYG:SYD:(A;OICI;GA;;;BA)(A;OICI;GRGWGX;;;S-1-5-32-556)(A;OICI;0x50;;;WD)";
/** FWPM_SUBLAYER_UNIVERSAL, for filters that name none. */
static const GUID universal = {0xeebecc03, 0xced4, 0x4380, {0x81, 0x9a, 0x27, 0x34, 0x39, 0x7b, 0x2b, 0x74}};

BOOL bd_wfp_open(const WCHAR *directory) {
  WCHAR path[MAX_PATH + 16];
  swprintf(path, MAX_PATH + 16, L"%ls\\wfp.dat", directory);
  HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return FALSE;
  HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, sizeof(bd_wfp), NULL);
  bd_wfp_shared = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(bd_wfp)) : NULL;
  if (section) CloseHandle(section);
  CloseHandle(file);
  if (!bd_wfp_shared) return FALSE;
  bd_wfp_lock();
  if (!bd_wfp_shared->magic) {
    bd_wfp_shared->size = sizeof(bd_wfp);
    bd_wfp_shared->next_filter = 70000;
    bd_sddl_parse(engine_access, &bd_wfp_shared->access);
    bd_sublayer *first = &bd_wfp_shared->live.sublayers[0];
    first->used = 1;
    first->key = universal;
    first->weight = 0;
    wcscpy(first->name, L"WFP Built-in Universal Sublayer");
    bd_wfp_shared->magic = BD_WFP_MAGIC;
  }
  bd_wfp_unlock();
  return bd_wfp_shared->magic == BD_WFP_MAGIC && bd_wfp_shared->size == sizeof(bd_wfp);
}

/** What a dynamic session added goes with it ("Object Management"). */
static void forget_objects(bd_objects *objects, DWORD session) {
  for (int i = 0; i < BD_WFP_FILTERS; i++) {
    if (objects->filters[i].used && objects->filters[i].session == session) objects->filters[i].used = 0;
  }
  for (int i = 0; i < BD_WFP_SUBLAYERS; i++) {
    if (objects->sublayers[i].used && objects->sublayers[i].session == session) objects->sublayers[i].used = 0;
  }
  for (int i = 0; i < BD_WFP_PROVIDERS; i++) {
    if (objects->providers[i].used && objects->providers[i].session == session) objects->providers[i].used = 0;
  }
}

void bd_wfp_end_session(DWORD index) {
  if (bd_wfp_shared->transaction == index + 1) bd_wfp_shared->transaction = 0;
  else if (bd_wfp_shared->transaction) forget_objects(&bd_wfp_shared->staged, index + 1);
  forget_objects(&bd_wfp_shared->live, index + 1);
  memset(&bd_wfp_shared->sessions[index], 0, sizeof(bd_session));
}

void bd_wfp_purge(void) {
  for (DWORD i = 0; i < BD_WFP_SESSIONS; i++) {
    DWORD pid = bd_wfp_shared->sessions[i].pid;
    if (pid && pid != GetCurrentProcessId() && !alive(pid)) bd_wfp_end_session(i);
  }
}
