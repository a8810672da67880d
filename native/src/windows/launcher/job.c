#include "job.h"

#include <stdlib.h>

static int set(HANDLE job, JOBOBJECTINFOCLASS class, void *information, DWORD size, const char *step, struct bh_fault *fault) {
  return SetInformationJobObject(job, class, information, size) ? 0 : bh_fault(fault, 0, step, NULL);
}

/*
 * Neither JOB_OBJECT_LIMIT_BREAKAWAY_OK nor SILENT_BREAKAWAY_OK, ever. DIE_ON_UNHANDLED_EXCEPTION: no error dialog on a desktop that nobody
 * sees keeps a crashed agent alive.
 */
static int set_limits(HANDLE job, const struct bh_spec *spec, struct bh_fault *fault) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
  if (spec->limits_processes) {
    limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
    limits.BasicLimitInformation.ActiveProcessLimit = spec->processes > UINT32_MAX ? UINT32_MAX : (DWORD)spec->processes;
  }
  if (spec->limits_memory) {
    limits.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
    limits.JobMemoryLimit = (SIZE_T)spec->memory;
  }
  return set(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits), "limits of the job object", fault);
}

/* A quota that was asked for and cannot be had is a failure: the machine was promised to others. CpuRate counts 1/100 of a percent. */
static int set_cpu(HANDLE job, const struct bh_spec *spec, struct bh_fault *fault) {
  if (!spec->limits_cpu) return 0;
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate = {0};
  rate.ControlFlags = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
  rate.CpuRate = (DWORD)spec->cpu * 100;
  return set(job, JobObjectCpuRateControlInformation, &rate, sizeof(rate), "limiting the processor time, which this system may not support,",
             fault);
}

/*
 * All there are. Command line programs keep working under them: PowerShell, git and node use no window, and an atom table of the job's own
 * is as good as the user's. What is lost: the clipboard, and windows of programs outside (Win32: JOBOBJECT_BASIC_UI_RESTRICTIONS).
 */
static int set_windows(HANDLE job, struct bh_fault *fault) {
  JOBOBJECT_BASIC_UI_RESTRICTIONS limits = {JOB_OBJECT_UILIMIT_DESKTOP | JOB_OBJECT_UILIMIT_DISPLAYSETTINGS | JOB_OBJECT_UILIMIT_EXITWINDOWS |
                                            JOB_OBJECT_UILIMIT_GLOBALATOMS | JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_READCLIPBOARD |
                                            JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS | JOB_OBJECT_UILIMIT_WRITECLIPBOARD};
  return set(job, JobObjectBasicUIRestrictions, &limits, sizeof(limits), "window limits of the job object", fault);
}

int bh_job_create(const struct bh_spec *spec, bool windows, HANDLE port, ULONG_PTR key, HANDLE *job, struct bh_fault *fault) {
  /* Without a name: nobody can open it. */
  HANDLE made = CreateJobObjectW(NULL, NULL);
  if (!made) return bh_fault(fault, 0, "creating the job object", NULL);
  JOBOBJECT_ASSOCIATE_COMPLETION_PORT association = {(PVOID)key, port};
  int result = set_limits(made, spec, fault);
  if (result == 0) result = set_cpu(made, spec, fault);
  if (result == 0 && windows) result = set_windows(made, fault);
  if (result == 0) {
    result = set(made, JobObjectAssociateCompletionPortInformation, &association, sizeof(association), "listening to the job object", fault);
  }
  if (result < 0) {
    CloseHandle(made);
    return -1;
  }
  *job = made;
  return 0;
}

bool bh_job_is_empty(HANDLE job) {
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting;
  if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &accounting, sizeof(accounting), NULL)) return false;
  return accounting.ActiveProcesses == 0;
}

void bh_job_end_hoarders(HANDLE job, uint64_t most) {
  enum { ROOM = 4096 };
  const DWORD size = (DWORD)(sizeof(JOBOBJECT_BASIC_PROCESS_ID_LIST) + ROOM * sizeof(ULONG_PTR));
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list = calloc(1, size);
  if (!list) return;
  /* ERROR_MORE_DATA: the first 4096 are there, the others have their turn when some of these have ended. */
  if (QueryInformationJobObject(job, JobObjectBasicProcessIdList, list, size, NULL) || GetLastError() == ERROR_MORE_DATA) {
    for (DWORD i = 0; i < list->NumberOfProcessIdsInList; i++) {
      HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_TERMINATE, FALSE, (DWORD)list->ProcessIdList[i]);
      DWORD count = 0;
      BOOL ours = FALSE;
      if (!process) continue;
      /* The number may belong to somebody else by now. */
      if (IsProcessInJob(process, job, &ours) && ours && GetProcessHandleCount(process, &count) && count > most) {
        TerminateProcess(process, ERROR_TOO_MANY_OPEN_FILES);
      }
      CloseHandle(process);
    }
  }
  free(list);
}
