#include "bystander.h"

#include "spawn.h"

int bh_bystander_start(struct bh_bystander *bystander, struct bh_fault *fault) {
  static wchar_t file[MAX_PATH + 1], line[] = L"bulkhead-launcher", directory[] = L"C:\\", environment[] = L"\0";
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
  const DWORD length = GetModuleFileNameW(NULL, file, MAX_PATH);
  *bystander = (struct bh_bystander){0};
  if (length == 0 || length >= MAX_PATH) return bh_fault(fault, length == 0 ? 0 : ERROR_FILENAME_EXCED_RANGE, "finding the launcher", NULL);
  bystander->job = CreateJobObjectW(NULL, NULL);
  if (!bystander->job || !SetInformationJobObject(bystander->job, JobObjectExtendedLimitInformation, &limits, sizeof(limits))) {
    return bh_fault(fault, 0, "job object of the bystander", NULL);
  }
  PROCESS_INFORMATION process;
  const struct bh_walls walls = {.job = bystander->job, .environment = environment, .directory = directory};
  const struct bh_start start = {.file = file, .line = line};
  if (bh_spawn(&walls, &start, &process, fault) < 0) return -1;
  bystander->pid = process.dwProcessId;
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 0;
}

void bh_bystander_end(struct bh_bystander *bystander) {
  if (bystander->job) CloseHandle(bystander->job);
  *bystander = (struct bh_bystander){0};
}
