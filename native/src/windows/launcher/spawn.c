#include "spawn.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_ATTRIBUTES 3

struct attributes {
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  HANDLE job, handles[3];
  DWORD handle_count;
};

/* The same handle twice in the list is an error of its own (ERROR_INVALID_PARAMETER). */
static void collect_handles(struct attributes *a, const struct bh_start *start) {
  for (int i = 0; i < 3; i++) {
    HANDLE handle = start->streams[i];
    bool known = !handle || handle == INVALID_HANDLE_VALUE;
    for (DWORD j = 0; j < a->handle_count; j++) known = known || a->handles[j] == handle;
    if (!known) a->handles[a->handle_count++] = handle;
  }
}

static int prepare(struct attributes *a, const struct bh_walls *walls, const struct bh_start *start, struct bh_fault *fault) {
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(NULL, MOST_ATTRIBUTES, 0, &size);
  a->list = malloc(size);
  if (!a->list) return bh_fault(fault, ERROR_OUTOFMEMORY, "process attributes", NULL);
  if (!InitializeProcThreadAttributeList(a->list, MOST_ATTRIBUTES, 0, &size)) {
    free(a->list);
    a->list = NULL;
    return bh_fault(fault, 0, "process attributes", NULL);
  }
  a->job = walls->job;
  if (!UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &a->job, sizeof(a->job), NULL, NULL)) {
    return bh_fault(fault, 0, "process attributes: job", NULL);
  }
  if (start->console) {
    if (!UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, start->console, sizeof(start->console), NULL, NULL)) {
      return bh_fault(fault, 0, "process attributes: console", NULL);
    }
  }
  collect_handles(a, start);
  if (a->handle_count == 0) return 0;
  const SIZE_T bytes = a->handle_count * sizeof(HANDLE);
  if (!UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, a->handles, bytes, NULL, NULL)) {
    return bh_fault(fault, 0, "process attributes: handles", NULL);
  }
  return 0;
}

static int create(const struct bh_walls *walls, const struct bh_start *start, const struct attributes *a, PROCESS_INFORMATION *process,
                  struct bh_fault *fault) {
  STARTUPINFOEXW info = {0};
  info.StartupInfo.cb = sizeof(info);
  info.lpAttributeList = a->list;
  info.StartupInfo.lpDesktop = walls->desktop_name;
  /* Also where there are none: otherwise it would get ours. On a console, handles that are none are replaced by those of the console. */
  HANDLE none = start->console ? INVALID_HANDLE_VALUE : NULL;
  info.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  info.StartupInfo.hStdInput = start->streams[0] ? start->streams[0] : none;
  info.StartupInfo.hStdOutput = start->streams[1] ? start->streams[1] : none;
  info.StartupInfo.hStdError = start->streams[2] ? start->streams[2] : none;
  const DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
  const BOOL inherit = a->handle_count > 0;
  SECURITY_ATTRIBUTES guard = {sizeof(guard), start->guard ? start->guard : walls->guard, FALSE};
  BOOL made;
  if (walls->token) {
    made = CreateProcessAsUserW(walls->token, start->file, start->line, &guard, &guard, inherit, flags, walls->environment, walls->directory,
                                &info.StartupInfo, process);
  } else {
    made = CreateProcessW(start->file, start->line, NULL, NULL, inherit, flags, walls->environment, walls->directory, &info.StartupInfo,
                          process);
  }
  return made ? 0 : bh_fault(fault, 0, "starting a process", NULL);
}

/*
 * The kernel gives the process a copy of the token, which is guarded as what this process makes is: without this, the agent could not even ask
 * who it is.
 */
static int open_token(const struct bh_walls *walls, const PROCESS_INFORMATION *process, struct bh_fault *fault) {
  HANDLE token;
  if (!walls->token) return 0;
  if (!OpenProcessToken(process->hProcess, WRITE_DAC, &token)) return bh_fault(fault, 0, "opening the token of a process", NULL);
  const BOOL set = SetKernelObjectSecurity(token, DACL_SECURITY_INFORMATION, walls->guard);
  if (!set) bh_fault(fault, 0, "access list of the token of a process", NULL);
  CloseHandle(token);
  return set ? 0 : -1;
}

struct place {
  HWINSTA station;
  HDESK desktop;
};

/*
 * By STARTUPINFO alone the first thread goes to the desktop, and a system may take the thread that brings the hook in for the first (Wine
 * does). A process that is started from the desktop is on it with every thread.
 */
static struct place enter_desktop(const struct bh_walls *walls) {
  struct place before = {NULL, NULL};
  if (!walls->desktop.desktop) return before;
  before = (struct place){GetProcessWindowStation(), GetThreadDesktop(GetCurrentThreadId())};
  SetProcessWindowStation(walls->desktop.station);
  SetThreadDesktop(walls->desktop.desktop);
  return before;
}

static void leave_desktop(struct place before) {
  if (!before.station) return;
  SetProcessWindowStation(before.station);
  SetThreadDesktop(before.desktop);
}

int bh_spawn(const struct bh_walls *walls, const struct bh_start *start, PROCESS_INFORMATION *process, struct bh_fault *fault) {
  struct attributes a = {0};
  int result = prepare(&a, walls, start, fault);
  if (result == 0) {
    const struct place before = enter_desktop(walls);
    result = create(walls, start, &a, process, fault);
    leave_desktop(before);
  }
  if (a.list) DeleteProcThreadAttributeList(a.list);
  free(a.list);
  if (result < 0) return -1;
  if (open_token(walls, process, fault) == 0) return 0;
  TerminateProcess(process->hProcess, 1);
  CloseHandle(process->hThread);
  CloseHandle(process->hProcess);
  *process = (PROCESS_INFORMATION){0};
  return -1;
}

int bh_spawn_own(const struct bh_walls *walls, const wchar_t *arguments, struct bh_start *start, PROCESS_INFORMATION *process,
                 struct bh_fault *fault) {
  wchar_t file[MAX_PATH + 1], line[64];
  const DWORD length = GetModuleFileNameW(NULL, file, MAX_PATH);
  if (length == 0 || length >= MAX_PATH) return bh_fault(fault, length == 0 ? 0 : ERROR_FILENAME_EXCED_RANGE, "finding the launcher", NULL);
  _snwprintf(line, sizeof(line) / sizeof(*line), L"bulkhead-launcher %ls", arguments);
  start->file = file;
  start->line = line;
  const int result = bh_spawn(walls, start, process, fault);
  start->file = start->line = NULL;
  return result;
}

void bh_start_time(HANDLE process, char *text, size_t size) {
  FILETIME created = {0}, exited, kernel, user;
  GetProcessTimes(process, &created, &exited, &kernel, &user);
  const unsigned long long time = (unsigned long long)created.dwHighDateTime << 32 | created.dwLowDateTime;
  snprintf(text, size, "%llu", time);
}
