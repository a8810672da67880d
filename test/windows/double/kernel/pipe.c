/*
 * Named pipes, whose descriptors Wine does not enforce. A pipe lives as long as the process that made its first instance; further instances need
 * the right to create them on the first one's descriptor.
 */
#include "file.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

#define CREATE_INSTANCE 0x4u /* FILE_CREATE_PIPE_INSTANCE is FILE_APPEND_DATA's bit */

/** Under the lock. */
static bd_object *find(const WCHAR *name) {
  for (DWORD i = 0; i < bd_shared->object_count; i++) {
    bd_object *object = &bd_shared->objects[i];
    if (object->owner_pid && !object->tid && _wcsicmp(object->name, name) == 0) return object;
  }
  return NULL;
}

/** Does the pipe still have an instance? */
static BOOL exists(const WCHAR *name) {
  WCHAR path[280];
  swprintf(path, 280, L"\\\\.\\pipe\\%ls", name);
  return WaitNamedPipeW(path, 1) || GetLastError() != ERROR_FILE_NOT_FOUND;
}

static BOOL descriptor_of(const WCHAR *name, bd_sd *sd) {
  bd_lock();
  const bd_object *object = find(name);
  if (object) *sd = object->sd;
  bd_unlock();
  return object != NULL;
}

/** Under the lock. A place for a pipe; where there is none, those of pipes that are gone are taken back. */
static bd_object *place(const WCHAR *name) {
  bd_object *object = find(name);
  for (DWORD i = 0; !object && i < BD_MAX_OBJECTS; i++) {
    if (!bd_shared->objects[i].owner_pid) object = &bd_shared->objects[i];
  }
  for (DWORD i = 0; !object && i < BD_MAX_OBJECTS; i++) {
    bd_object *candidate = &bd_shared->objects[i];
    if (!bd_alive(candidate->owner_pid) || (!candidate->tid && !exists(candidate->name))) object = candidate;
  }
  DWORD index = object ? (DWORD)(object - bd_shared->objects) : 0;
  if (object && index >= bd_shared->object_count) bd_shared->object_count = index + 1;
  return object;
}

NTSTATUS bd_pipe_open(const WCHAR *name, ACCESS_MASK desired) {
  bd_token caller;
  bd_sd sd;
  ACCESS_MASK granted;
  /* Not one of ours: a service of Wine made it, or nobody. */
  if (!descriptor_of(name, &sd)) return STATUS_SUCCESS;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  status = bd_access_check(&sd, &caller, desired, &bd_map_file, &granted);
  /* A pipe that is gone is the system's to miss. */
  return status && !exists(name) ? STATUS_SUCCESS : status;
}

/**
 * CreateNamedPipe without a descriptor gives the default of pipes: full control to SYSTEM, administrators and the owner, reading to Everyone and
 * Anonymous ("CreateNamedPipeW"). CreatePipe gives the token's default DACL.
 */
static void default_descriptor(const WCHAR *name, const bd_token *caller, bd_sd *sd) {
  const bd_sid system = bd_sid_make(5, 1, 18u), administrators = bd_sid_make(5, 2, 32u, 544u), everyone = bd_sid_make(1, 1, 0u),
               anonymous = bd_sid_make(5, 1, 7u);
  if (_wcsnicmp(name, L"Win32.Pipes.", 12) == 0) {
    sd->dacl = caller->default_dacl.dacl;
    sd->ace_count = caller->default_dacl.ace_count;
    memcpy(sd->aces, caller->default_dacl.aces, sizeof(sd->aces));
    return;
  }
  bd_add_ace(sd, BD_ACE_ALLOW, 0, 0x1f01ff, &system);
  bd_add_ace(sd, BD_ACE_ALLOW, 0, 0x1f01ff, &administrators);
  bd_add_ace(sd, BD_ACE_ALLOW, 0, 0x1f01ff, &caller->owner);
  bd_add_ace(sd, BD_ACE_ALLOW, 0, bd_map_file.GenericRead, &everyone);
  bd_add_ace(sd, BD_ACE_ALLOW, 0, bd_map_file.GenericRead, &anonymous);
}

NTSTATUS bd_pipe_created(const WCHAR *name, const void *descriptor) {
  bd_token caller;
  bd_sd sd;
  bd_object *object = NULL;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  memset(&sd, 0, sizeof(sd));
  if (descriptor && !bd_sd_from(&sd, descriptor)) return STATUS_INVALID_SECURITY_DESCR;
  if (sd.dacl == BD_DACL_ABSENT) default_descriptor(name, &caller, &sd);
  if (bd_sid_none(&sd.owner)) sd.owner = caller.owner;
  if (!sd.has_label && caller.integrity < SECURITY_MANDATORY_MEDIUM_RID) {
    sd.has_label = 1;
    sd.label_rid = caller.integrity;
    sd.label_policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
  }
  bd_lock();
  object = place(name);
  if (object) {
    object->owner_pid = GetCurrentProcessId();
    object->tid = 0;
    wcscpy(object->name, name);
    object->sd = sd;
  }
  bd_unlock();
  return object ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI bd_NtCreateNamedPipeFile(HANDLE *handle, ULONG access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, ULONG sharing,
                                        ULONG disposition, ULONG options, ULONG type, ULONG read_mode, ULONG completion, ULONG instances,
                                        ULONG inbound, ULONG outbound, LARGE_INTEGER *timeout) {
  if (bd_inside() || !bd_shared->enforce || !bd_shared->pipe_checks) {
    return bd_real(NtCreateNamedPipeFile)(handle, access, attributes, io, sharing, disposition, options, type, read_mode, completion, instances,
                                          inbound, outbound, timeout);
  }
  bd_frame frame = bd_enter();
  bd_target target;
  OBJECT_ATTRIBUTES plain = *attributes;
  bd_sd sd;
  NTSTATUS status = bd_resolve(attributes, &target);
  BOOL named = !status && target.place == BD_PLACE_PIPE && target.path[0];
  BOOL known = named && descriptor_of(target.path, &sd);
  if (known && !exists(target.path)) known = FALSE;
  status = known ? bd_pipe_open(target.path, CREATE_INSTANCE) : STATUS_SUCCESS;
  plain.SecurityDescriptor = NULL;
  if (!status) {
    status = bd_real(NtCreateNamedPipeFile)(handle, access, &plain, io, sharing, disposition, options, type, read_mode, completion, instances, inbound,
                                            outbound, timeout);
  }
  if (!status && named && !known) {
    status = bd_pipe_created(target.path, attributes->SecurityDescriptor);
    if (status) NtClose(*handle);
  }
  bd_leave(frame);
  return status;
}
