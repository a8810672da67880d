#include "process.h"
#include "file.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

enum bd_kind bd_kind_of(HANDLE handle) {
  BYTE buffer[512];
  const bd_object_name *type = (const void *)buffer;
  if (handle == GetCurrentProcess()) return BD_KIND_PROCESS;
  if (handle == GetCurrentThread()) return BD_KIND_THREAD;
  if (NtQueryObject(handle, 2 /* ObjectTypeInformation */, buffer, sizeof(buffer), NULL)) return BD_KIND_OTHER;
  if (type->name.Length == 8 && wcsncmp(type->name.Buffer, L"File", 4) == 0) return BD_KIND_FILE;
  if (type->name.Length == 14 && wcsncmp(type->name.Buffer, L"Process", 7) == 0) return BD_KIND_PROCESS;
  if (type->name.Length == 12 && wcsncmp(type->name.Buffer, L"Thread", 6) == 0) return BD_KIND_THREAD;
  if (type->name.Length == 10 && wcsncmp(type->name.Buffer, L"Token", 5) == 0) return BD_KIND_TOKEN;
  return BD_KIND_OTHER;
}

/** Process and, for a thread, thread number. The handle may be one that does not let us ask, so ask through a copy that does. */
static BOOL identify(HANDLE handle, enum bd_kind kind, CLIENT_ID *id) {
  PROCESS_BASIC_INFORMATION process;
  struct {
    NTSTATUS exit;
    void *teb;
    CLIENT_ID id;
    ULONG_PTR rest[3];
  } thread;
  HANDLE copy;
  ACCESS_MASK access = kind == BD_KIND_PROCESS ? PROCESS_QUERY_LIMITED_INFORMATION : THREAD_QUERY_LIMITED_INFORMATION;
  if (bd_real(NtDuplicateObject)(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, access, 0, 0)) return FALSE;
  memset(id, 0, sizeof(*id));
  BOOL known;
  if (kind == BD_KIND_PROCESS) {
    known = NtQueryInformationProcess(copy, ProcessBasicInformation, &process, sizeof(process), NULL) == STATUS_SUCCESS;
    if (known) id->UniqueProcess = (HANDLE)process.UniqueProcessId;
  } else {
    known = NtQueryInformationThread(copy, 0 /* ThreadBasicInformation */, &thread, sizeof(thread), NULL) == STATUS_SUCCESS;
    if (known) *id = thread.id;
  }
  NtClose(copy);
  return known;
}

static bd_process *find_process(DWORD pid) {
  for (DWORD i = 0; i < bd_shared->process_count; i++) {
    if (bd_shared->processes[i].pid == pid) return &bd_shared->processes[i];
  }
  return NULL;
}

static bd_object *find_thread(DWORD tid) {
  for (DWORD i = 0; i < bd_shared->object_count; i++) {
    if (bd_shared->objects[i].owner_pid && bd_shared->objects[i].tid == tid) return &bd_shared->objects[i];
  }
  return NULL;
}

/** A process that the double did not start: the system's own. */
static void system_descriptor(bd_sd *sd) {
  memset(sd, 0, sizeof(*sd));
  const bd_sid system = bd_sid_make(5, 1, 18u), administrators = bd_sid_make(5, 2, 32u, 544u);
  sd->owner = administrators;
  bd_add_ace(sd, BD_ACE_ALLOW, 0, 0x1fffff, &system);
  bd_add_ace(sd, BD_ACE_ALLOW, 0, 0x1fffff, &administrators);
}

static void descriptor_of(CLIENT_ID id, enum bd_kind kind, bd_sd *sd) {
  DWORD pid = (DWORD)(ULONG_PTR)id.UniqueProcess, tid = (DWORD)(ULONG_PTR)id.UniqueThread;
  bd_lock();
  const bd_process *process = find_process(pid);
  const bd_object *thread = kind == BD_KIND_THREAD ? find_thread(tid) : NULL;
  if (thread) *sd = thread->sd;
  else if (process) *sd = kind == BD_KIND_PROCESS ? process->sd : process->thread_sd;
  else system_descriptor(sd);
  bd_unlock();
}

NTSTATUS bd_object_descriptor(HANDLE handle, enum bd_kind kind, bd_sd *sd) {
  CLIENT_ID id;
  if (!identify(handle, kind, &id)) return STATUS_ACCESS_DENIED;
  descriptor_of(id, kind, sd);
  return STATUS_SUCCESS;
}

NTSTATUS bd_object_store(HANDLE handle, enum bd_kind kind, const bd_sd *sd) {
  CLIENT_ID id;
  NTSTATUS status = STATUS_SUCCESS;
  if (!identify(handle, kind, &id)) return STATUS_ACCESS_DENIED;
  DWORD pid = (DWORD)(ULONG_PTR)id.UniqueProcess, tid = (DWORD)(ULONG_PTR)id.UniqueThread;
  bd_lock();
  bd_process *process = find_process(pid);
  bd_object *thread = kind == BD_KIND_THREAD ? find_thread(tid) : NULL;
  for (DWORD i = 0; kind == BD_KIND_THREAD && !thread && i < BD_MAX_OBJECTS; i++) {
    bd_object *object = &bd_shared->objects[i];
    if (object->owner_pid && bd_alive(object->owner_pid)) continue;
    thread = object;
    thread->owner_pid = pid;
    thread->tid = tid;
    if (i >= bd_shared->object_count) bd_shared->object_count = i + 1;
  }
  if (kind == BD_KIND_THREAD && thread) thread->sd = *sd;
  else if (kind == BD_KIND_PROCESS && process) process->sd = *sd;
  else status = STATUS_INSUFFICIENT_RESOURCES;
  bd_unlock();
  return status;
}

/** The descriptor of a new process or thread ("CreateProcessAsUser": without one of its own, the default DACL of the token) with the token's level. */
static BOOL object_from(const void *descriptor, const bd_token *token, bd_sd *sd) {
  memset(sd, 0, sizeof(*sd));
  if (descriptor && !bd_sd_from(sd, descriptor)) return FALSE;
  if (sd->dacl == BD_DACL_ABSENT) {
    sd->dacl = token->default_dacl.dacl;
    sd->ace_count = token->default_dacl.ace_count;
    memcpy(sd->aces, token->default_dacl.aces, sizeof(sd->aces));
  }
  if (bd_sid_none(&sd->owner)) sd->owner = token->owner;
  if (bd_sid_none(&sd->group)) sd->group = token->primary_group;
  if (!sd->has_label) {
    sd->has_label = 1;
    sd->label_rid = token->integrity;
    sd->label_policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP | SYSTEM_MANDATORY_LABEL_NO_READ_UP;
  }
  return TRUE;
}

NTSTATUS bd_process_note(DWORD pid, const bd_token *token, const void *process_descriptor, const void *thread_descriptor) {
  bd_sd sd, thread_sd;
  if (!object_from(process_descriptor, token, &sd) || !object_from(thread_descriptor, token, &thread_sd)) return STATUS_INVALID_SECURITY_DESCR;
  bd_lock();
  bd_process *process = find_process(pid);
  for (DWORD i = 0; !process && i < BD_MAX_PROCESSES; i++) {
    bd_process *candidate = &bd_shared->processes[i];
    if (i >= bd_shared->process_count) bd_shared->process_count = i + 1;
    else if (candidate->pid && bd_alive(candidate->pid)) continue;
    process = candidate;
  }
  if (process) {
    process->pid = pid;
    process->token = token->id;
    process->user = token->user;
    process->sd = sd;
    process->thread_sd = thread_sd;
  }
  bd_unlock();
  return process ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS check_open(CLIENT_ID id, enum bd_kind kind, ACCESS_MASK access, ACCESS_MASK *granted) {
  const GENERIC_MAPPING *map = kind == BD_KIND_PROCESS ? &bd_map_process : &bd_map_thread;
  bd_token caller;
  bd_sd sd;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  descriptor_of(id, kind, &sd);
  status = bd_access_check(&sd, &caller, access, map, granted);
  if (!status) return status;
  bd_token_caller_privileges(&caller);
  if (!(caller.privileges & BD_PRIVILEGE(BD_SE_DEBUG))) return status;
  *granted = access & MAXIMUM_ALLOWED ? map->GenericAll : access;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI bd_NtOpenProcess(HANDLE *handle, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes, const CLIENT_ID *id) {
  if (bd_inside() || !bd_shared->enforce || !id) return bd_real(NtOpenProcess)(handle, access, attributes, id);
  bd_frame frame = bd_enter();
  ACCESS_MASK granted;
  NTSTATUS status = check_open(*id, BD_KIND_PROCESS, access, &granted);
  if (!status) status = bd_real(NtOpenProcess)(handle, access & MAXIMUM_ALLOWED ? granted : access, attributes, id);
  else if (!bd_alive((DWORD)(ULONG_PTR)id->UniqueProcess)) status = bd_real(NtOpenProcess)(handle, SYNCHRONIZE, attributes, id);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtOpenThread(HANDLE *handle, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes, const CLIENT_ID *id) {
  if (bd_inside() || !bd_shared->enforce || !id) return bd_real(NtOpenThread)(handle, access, attributes, id);
  bd_frame frame = bd_enter();
  ACCESS_MASK granted;
  CLIENT_ID full;
  HANDLE look;
  NTSTATUS status = bd_real(NtOpenThread)(&look, THREAD_QUERY_LIMITED_INFORMATION, attributes, id);
  if (!status) {
    status = identify(look, BD_KIND_THREAD, &full) ? check_open(full, BD_KIND_THREAD, access, &granted) : STATUS_ACCESS_DENIED;
    NtClose(look);
  }
  if (!status) status = bd_real(NtOpenThread)(handle, access & MAXIMUM_ALLOWED ? granted : access, attributes, id);
  bd_leave(frame);
  return status;
}

/** A copy with more rights than the original is a new request to the object. */
static NTSTATUS check_copy(HANDLE source, ACCESS_MASK access) {
  enum bd_kind kind = bd_kind_of(source);
  bd_target target;
  CLIENT_ID id;
  ACCESS_MASK granted, have = bd_handle_rights(source);
  if (kind == BD_KIND_FILE) {
    MapGenericMask(&access, (GENERIC_MAPPING *)&bd_map_file);
    if (!(access & ~have) || bd_resolve_handle(source, &target) || target.place != BD_PLACE_FILE) return STATUS_SUCCESS;
    return bd_check_existing(&target, access, FALSE, &granted);
  }
  if (kind == BD_KIND_OTHER || kind == BD_KIND_TOKEN || source == GetCurrentProcess() || source == GetCurrentThread()) return STATUS_SUCCESS;
  MapGenericMask(&access, (GENERIC_MAPPING *)(kind == BD_KIND_PROCESS ? &bd_map_process : &bd_map_thread));
  if (!(access & ~have)) return STATUS_SUCCESS;
  return identify(source, kind, &id) ? check_open(id, kind, access, &granted) : STATUS_ACCESS_DENIED;
}

NTSTATUS NTAPI bd_NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, HANDLE *target, ACCESS_MASK access, ULONG attributes,
                                    ULONG options) {
  BOOL plain = bd_inside() || !bd_shared->enforce || (options & DUPLICATE_SAME_ACCESS) || source_process != GetCurrentProcess();
  if (plain) return bd_real(NtDuplicateObject)(source_process, source, target_process, target, access, attributes, options);
  bd_frame frame = bd_enter();
  NTSTATUS status = check_copy(source, access);
  if (!status) status = bd_real(NtDuplicateObject)(source_process, source, target_process, target, access, attributes, options);
  bd_leave(frame);
  return status;
}
