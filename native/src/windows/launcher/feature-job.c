#include <windows.h>

#include "feature.h"
#include "job.h"
#include "probe.h"
#include "spawn.h"

static wchar_t file[MAX_PATH + 1], line[] = L"bulkhead-launcher " BH_PROBE_ARGUMENT, directory[] = L"C:\\", environment[] = L"\0";

/* A process that never runs: born in a job, alive until the job's last handle closes, dead then. */
static int check(HANDLE job, struct bh_answer *answer, HANDLE *process) {
  PROCESS_INFORMATION made;
  BOOL inside = FALSE;
  const struct bh_walls walls = {.job = job, .environment = environment, .directory = directory};
  const struct bh_start start = {.file = file, .line = line};
  if (bh_spawn(&walls, &start, &made, &answer->fault) < 0) return -1;
  CloseHandle(made.hThread);
  *process = made.hProcess;
  if (!IsProcessInJob(made.hProcess, job, &inside)) return bh_fault(&answer->fault, 0, "IsProcessInJob", NULL);
  if (!inside) return bh_pretended(answer, "a process was not born in its job");
  return WaitForSingleObject(made.hProcess, 0) == WAIT_TIMEOUT ? 0 : bh_pretended(answer, "a process ended before its job");
}

void bh_feature_job_object(struct bh_answer *answer) {
  HANDLE job, process = NULL, port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
  const struct bh_spec spec = {0};
  answer->ok = false;
  if (!port || GetModuleFileNameW(NULL, file, MAX_PATH) == 0) {
    bh_fault(&answer->fault, 0, "job object", NULL);
    return;
  }
  if (bh_job_create(&spec, false, port, 0, &job, &answer->fault) == 0) {
    const int result = check(job, answer, &process);
    CloseHandle(job);
    answer->ok = result == 0 && WaitForSingleObject(process, 5000) == WAIT_OBJECT_0;
    if (result == 0 && !answer->ok) bh_pretended(answer, "a process outlived its job");
    if (process && !answer->ok) TerminateProcess(process, 1);
    if (process) CloseHandle(process);
  }
  CloseHandle(port);
}
