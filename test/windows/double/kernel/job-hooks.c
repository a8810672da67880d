/* NtCreateJobObject, NtSetInformationJobObject, NtAssignProcessToJobObject: Wine's own, recorded, because Wine keeps few of the limits. */
#include "logs.h"

static void put_limits(bd_record *record, ULONG class, const void *buffer, ULONG size) {
  const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *limits = buffer;
  bd_put_number(record, "class", class);
  if ((class == JobObjectBasicLimitInformation && size >= sizeof(JOBOBJECT_BASIC_LIMIT_INFORMATION)) ||
      (class == JobObjectExtendedLimitInformation && size >= sizeof(*limits))) {
    bd_put_hex(record, "limitFlags", limits->BasicLimitInformation.LimitFlags);
    bd_put_number(record, "activeProcesses", limits->BasicLimitInformation.ActiveProcessLimit);
    bd_put_number(record, "priorityClass", limits->BasicLimitInformation.PriorityClass);
    bd_put_number(record, "jobTime", (ULONGLONG)limits->BasicLimitInformation.PerJobUserTimeLimit.QuadPart);
  }
  if (class == JobObjectExtendedLimitInformation && size >= sizeof(*limits)) {
    bd_put_number(record, "processMemory", limits->ProcessMemoryLimit);
    bd_put_number(record, "jobMemory", limits->JobMemoryLimit);
  }
  if (class == JobObjectBasicUIRestrictions && size >= sizeof(DWORD)) bd_put_hex(record, "restrictions", *(const DWORD *)buffer);
  if (class == JobObjectCpuRateControlInformation && size >= 2 * sizeof(DWORD)) {
    bd_put_hex(record, "controlFlags", ((const DWORD *)buffer)[0]);
    bd_put_number(record, "rate", ((const DWORD *)buffer)[1]);
  }
}

NTSTATUS NTAPI bd_NtCreateJobObject(HANDLE *job, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes) {
  if (bd_inside()) return bd_real(NtCreateJobObject)(job, access, attributes);
  bd_frame frame = bd_enter();
  bd_record record;
  bd_record_begin(&record, "NtCreateJobObject");
  bd_put_bool(&record, "named", attributes && attributes->ObjectName);
  bd_log_descriptor(&record, "descriptor", attributes ? attributes->SecurityDescriptor : NULL);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_real(NtCreateJobObject)(job, access, attributes);
  bd_record_end(&record, (DWORD)status);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtSetInformationJobObject(HANDLE job, ULONG class, void *buffer, ULONG size) {
  if (bd_inside()) return bd_real(NtSetInformationJobObject)(job, class, buffer, size);
  bd_frame frame = bd_enter();
  bd_record record;
  bd_record_begin(&record, "NtSetInformationJobObject");
  put_limits(&record, class, buffer, size);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_real(NtSetInformationJobObject)(job, class, buffer, size);
  bd_record_end(&record, (DWORD)status);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtAssignProcessToJobObject(HANDLE job, HANDLE process) {
  if (bd_inside()) return bd_real(NtAssignProcessToJobObject)(job, process);
  bd_frame frame = bd_enter();
  bd_record record;
  bd_record_begin(&record, "NtAssignProcessToJobObject");
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : bd_real(NtAssignProcessToJobObject)(job, process);
  bd_record_end(&record, (DWORD)status);
  bd_leave(frame);
  return status;
}
