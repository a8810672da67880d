#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
/* After windows.h. */
#include <winternl.h>

#include "desktop.h"
#include "hook-attempt.h"
#include "status-token.h"
#include "text.h"

/*
 * The fields:
 *   user-sid          the token's user
 *   restricted        `yes` or `no` (IsTokenRestricted)
 *   write-restricted  `yes` or `no`: the restricting SIDs are asked about writing only
 *   restricting-sids  in order, separated by blanks
 *   integrity         number of the level: 4096 low, 8192 medium, 12288 high (Win32: "Mandatory Integrity Control")
 *   privileges        names, whether enabled or not, separated by blanks
 *   deny-only-groups  SIDs that only deny
 *   powerful-groups   SIDs of powerful groups (token.c) that do more than deny
 *   default-dacl      SDDL
 *   job               limit flags of the innermost job in hexadecimal (JOBOBJECT_BASIC_LIMIT_INFORMATION); `none` outside every job
 *   job-windows       its limits on windows in hexadecimal (JOBOBJECT_BASIC_UI_RESTRICTIONS)
 *   desktop           `station\desktop`
 *   hook              `none`, or `ready hooks=N rules=N` where the hook DLL is at work
 *   bystander         pid of a process of the user to try attacks on (bystander.h); 0 without a token
 *   supervisor        pid of the process that started this one
 */

static uint32_t job(char *value, size_t size) {
  BOOL inside = FALSE;
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  if (!IsProcessInJob(GetCurrentProcess(), NULL, &inside)) return GetLastError();
  if (inside && !QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &limits, sizeof(limits), NULL)) return GetLastError();
  if (inside) {
    snprintf(value, size, "0x%lX", limits.BasicLimitInformation.LimitFlags);
  } else {
    snprintf(value, size, "none");
  }
  return 0;
}

static uint32_t job_windows(char *value, size_t size) {
  JOBOBJECT_BASIC_UI_RESTRICTIONS limits = {0};
  if (!QueryInformationJobObject(NULL, JobObjectBasicUIRestrictions, &limits, sizeof(limits), NULL)) return GetLastError();
  snprintf(value, size, "0x%lX", limits.UIRestrictionsClass);
  return 0;
}

static uint32_t desktop(char *value, size_t size) {
  struct bh_fault fault;
  wchar_t *name = bh_desktop_current(&fault);
  if (!name) return fault.code;
  bh_utf8_into(name, value, size);
  free(name);
  return 0;
}

unsigned long bh_status_bystander;

static uint32_t bystander(char *value, size_t size) {
  snprintf(value, size, "%lu", bh_status_bystander);
  return 0;
}

/* PROCESS_BASIC_INFORMATION.InheritedFromUniqueProcessId (Win32: NtQueryInformationProcess). */
static uint32_t supervisor(char *value, size_t size) {
  PROCESS_BASIC_INFORMATION information;
  const NTSTATUS status = NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, &information, sizeof(information), NULL);
  if (status < 0) return RtlNtStatusToDosError(status);
  snprintf(value, size, "%llu", (unsigned long long)(ULONG_PTR)information.InheritedFromUniqueProcessId);
  return 0;
}

static const struct {
  const char *name;
  uint32_t (*read)(char *value, size_t size);
} fields[] = {
    {"user-sid", bh_status_user},
    {"restricted", bh_status_restricted},
    {"write-restricted", bh_status_write_restricted},
    {"restricting-sids", bh_status_restricting},
    {"integrity", bh_status_integrity},
    {"privileges", bh_status_privileges},
    {"deny-only-groups", bh_status_deny_only},
    {"powerful-groups", bh_status_powerful},
    {"default-dacl", bh_status_default_dacl},
    {"job", job},
    {"job-windows", job_windows},
    {"desktop", desktop},
    {"hook", bh_hook_status},
    {"bystander", bystander},
    {"supervisor", supervisor},
};

uint32_t bh_status(const char *field, char *value, size_t size) {
  for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
    if (strcmp(fields[i].name, field) == 0) return fields[i].read(value, size);
  }
  return ERROR_FILE_NOT_FOUND;
}
