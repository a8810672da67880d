/*
 * NtSetSecurityObject and NtQuerySecurityObject. Files, processes and threads are the double's; everything else (events, sections, keys) is Wine's,
 * which keeps and enforces those.
 */
#include "security.h"
#include "file.h"
#include "logs.h"
#include "process.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

static ACCESS_MASK rights_to_set(SECURITY_INFORMATION info) {
  ACCESS_MASK need = 0;
  if (info & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) need |= WRITE_OWNER;
  if (info & (DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION)) need |= WRITE_DAC;
  if (info & SACL_SECURITY_INFORMATION) need |= ACCESS_SYSTEM_SECURITY;
  return need;
}

/** Takes the named parts of `given` over into `sd`. */
static NTSTATUS take_parts(bd_sd *sd, const bd_sd *given, SECURITY_INFORMATION info) {
  bd_token caller;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  if (info & OWNER_SECURITY_INFORMATION) {
    if (bd_sid_none(&given->owner)) return STATUS_INVALID_OWNER;
    bd_token_caller_privileges(&caller);
    if (!bd_token_has(&caller, &given->owner) && !(caller.privileges & BD_PRIVILEGE(BD_SE_RESTORE))) return STATUS_INVALID_OWNER;
    sd->owner = given->owner;
  }
  if (info & GROUP_SECURITY_INFORMATION) sd->group = given->group;
  if (info & DACL_SECURITY_INFORMATION) {
    sd->dacl = given->dacl == BD_DACL_ABSENT ? BD_DACL_NULL : given->dacl;
    sd->ace_count = given->ace_count;
    memcpy(sd->aces, given->aces, sizeof(sd->aces));
  }
  if (info & LABEL_SECURITY_INFORMATION) {
    /* Nobody may give more than it has itself. */
    if (given->has_label && given->label_rid > caller.integrity) return STATUS_PRIVILEGE_NOT_HELD;
    sd->has_label = given->has_label;
    sd->label_flags = bd_thread_is(BD_THREAD_PROPAGATES) ? given->label_flags & (BYTE)~INHERITED_ACE : given->label_flags;
    sd->label_policy = given->label_policy;
    sd->label_rid = given->label_rid;
  }
  return STATUS_SUCCESS;
}

/** NtSetSecurityObject changes one object. Its children keep what they had, so that is written down for those that so far only followed. */
static NTSTATUS pin_children(HANDLE directory, const bd_target *target) {
  BYTE buffer[4096];
  IO_STATUS_BLOCK io;
  NTSTATUS status = STATUS_SUCCESS;
  WCHAR path[BD_PATH];
  bd_sd sd;
  DWORD flags;
  HANDLE list;
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .RootDirectory = directory};
  UNICODE_STRING empty = {0, 0, L""};
  attributes.ObjectName = &empty;
  if (bd_real(NtOpenFile)(&list, FILE_LIST_DIRECTORY | SYNCHRONIZE, &attributes, &io, 7, FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT)) {
    return STATUS_ACCESS_DENIED;
  }
  for (BOOLEAN first = TRUE;; first = FALSE) {
    const FILE_BOTH_DIR_INFORMATION *entry = (const void *)buffer;
    if (NtQueryDirectoryFile(list, NULL, NULL, NULL, &io, buffer, sizeof(buffer), FileBothDirectoryInformation, TRUE, NULL, first)) break;
    int length = (int)(entry->FileNameLength / sizeof(WCHAR));
    if ((length == 1 && entry->FileName[0] == L'.') || (length == 2 && entry->FileName[0] == L'.' && entry->FileName[1] == L'.')) continue;
    const WCHAR *between = target->path[wcslen(target->path) - 1] == L'\\' ? L"" : L"\\";
    if (swprintf(path, BD_PATH, L"%ls%ls%.*ls", target->path, between, length, entry->FileName) < 0) status = STATUS_NAME_TOO_LONG;
    else if (bd_file_own(path, &sd, &flags) && (flags & BD_FILE_RAW)) continue;
    else if (bd_file_descriptor(path, (entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0, &sd)) status = bd_file_store(path, &sd, BD_FILE_RAW);
    if (status) break;
  }
  NtClose(list);
  return status;
}

static NTSTATUS set_file(HANDLE file, const bd_target *target, SECURITY_INFORMATION info, const bd_sd *given) {
  bd_sd sd;
  NTSTATUS status;
  if (!bd_file_descriptor(target->path, target->directory, &sd)) return STATUS_ACCESS_DENIED;
  BOOL was_protected = (sd.control & SE_DACL_PROTECTED) != 0;
  if (!bd_thread_is(BD_THREAD_PROPAGATES) && target->directory && (info & (DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION))) {
    status = pin_children(file, target);
    if (status) return status;
  }
  status = take_parts(&sd, given, info);
  if (status) return status;
  BOOL protect = was_protected;
  if (info & DACL_SECURITY_INFORMATION && !bd_thread_is(BD_THREAD_PROPAGATES)) protect = (given->control & SE_DACL_PROTECTED) != 0;
  if (info & PROTECTED_DACL_SECURITY_INFORMATION) protect = TRUE;
  if (info & UNPROTECTED_DACL_SECURITY_INFORMATION) protect = FALSE;
  /* The kernel stores what it is given; only the functions above it look at what lies above the object. */
  if (!bd_thread_is(BD_THREAD_PROPAGATES) && (info & LABEL_SECURITY_INFORMATION) && !(info & DACL_SECURITY_INFORMATION)) {
    return bd_file_store(target->path, &sd, BD_FILE_RAW);
  }
  sd.control = protect ? SE_DACL_PROTECTED : 0;
  if (!bd_thread_is(BD_THREAD_PROPAGATES) && (info & DACL_SECURITY_INFORMATION)) {
    if (given->control & SE_DACL_AUTO_INHERIT_REQ) sd.control |= SE_DACL_AUTO_INHERITED;
    return bd_file_store(target->path, &sd, BD_FILE_RAW);
  }
  /* What was inherited is inherited again from what the parent says now. With protection, a caller who passes inherited entries keeps them as its own. */
  if (protect) {
    for (int i = 0; i < sd.ace_count; i++) sd.aces[i].flags &= (BYTE)~INHERITED_ACE;
  } else {
    bd_drop_inherited(&sd);
  }
  if (sd.has_label && (sd.label_flags & INHERITED_ACE)) sd.has_label = 0;
  return bd_file_store(target->path, &sd, 0);
}

/** Of a process, a thread or a token. */
static NTSTATUS descriptor_of(HANDLE handle, enum bd_kind kind, bd_sd *sd) {
  bd_token record;
  if (kind != BD_KIND_TOKEN) return bd_object_descriptor(handle, kind, sd);
  NTSTATUS status = bd_token_of(handle, &record);
  if (!status) bd_token_object(&record, sd);
  return status;
}

static NTSTATUS set_object(HANDLE handle, SECURITY_INFORMATION info, void *descriptor) {
  bd_target target;
  bd_sd given, sd;
  ACCESS_MASK need = rights_to_set(info);
  enum bd_kind kind = bd_kind_of(handle);
  NTSTATUS status;
  if (kind == BD_KIND_OTHER) return bd_real(NtSetSecurityObject)(handle, info, descriptor);
  if (!bd_sd_from(&given, descriptor)) return STATUS_INVALID_SECURITY_DESCR;
  if ((bd_handle_rights(handle) & need) != need) return STATUS_ACCESS_DENIED;
  if (kind == BD_KIND_FILE) {
    status = bd_resolve_handle(handle, &target);
    if (status) return status;
    return target.place == BD_PLACE_FILE ? set_file(handle, &target, info, &given) : bd_real(NtSetSecurityObject)(handle, info, descriptor);
  }
  status = descriptor_of(handle, kind, &sd);
  if (!status) status = take_parts(&sd, &given, info);
  if (status) return status;
  return kind == BD_KIND_TOKEN ? bd_token_object_store(handle, &sd) : bd_object_store(handle, kind, &sd);
}

NTSTATUS NTAPI bd_NtSetSecurityObject(HANDLE handle, SECURITY_INFORMATION info, void *descriptor) {
  if (bd_inside() || !descriptor) return bd_real(NtSetSecurityObject)(handle, info, descriptor);
  bd_frame frame = bd_enter();
  bd_record record;
  bd_record_begin(&record, "NtSetSecurityObject");
  bd_log_security(&record, handle, info, descriptor);
  NTSTATUS status = record.injected ? (NTSTATUS)record.result : set_object(handle, info, descriptor);
  bd_record_end(&record, (DWORD)status);
  bd_leave(frame);
  return status;
}

static NTSTATUS answer(const bd_sd *sd, SECURITY_INFORMATION info, void *buffer, ULONG size, ULONG *returned) {
  ULONG need = bd_sd_to(sd, info, buffer, size);
  if (returned) *returned = need;
  return need > size || !buffer ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

NTSTATUS NTAPI bd_NtQuerySecurityObject(HANDLE handle, SECURITY_INFORMATION info, void *buffer, ULONG size, ULONG *returned) {
  if (bd_inside()) return bd_real(NtQuerySecurityObject)(handle, info, buffer, size, returned);
  bd_frame frame = bd_enter();
  bd_target target;
  bd_sd sd;
  NTSTATUS status;
  enum bd_kind kind = bd_kind_of(handle);
  if (kind != BD_KIND_OTHER && !(bd_handle_rights(handle) & READ_CONTROL)) {
    status = STATUS_ACCESS_DENIED;
  } else if (kind == BD_KIND_FILE) {
    status = bd_resolve_handle(handle, &target);
    if (!status && target.place != BD_PLACE_FILE) status = bd_real(NtQuerySecurityObject)(handle, info, buffer, size, returned);
    else if (!status) status = bd_file_descriptor(target.path, target.directory, &sd) ? answer(&sd, info, buffer, size, returned) : STATUS_ACCESS_DENIED;
  } else if (kind != BD_KIND_OTHER) {
    status = descriptor_of(handle, kind, &sd);
    if (!status) status = answer(&sd, info, buffer, size, returned);
  } else {
    status = bd_real(NtQuerySecurityObject)(handle, info, buffer, size, returned);
  }
  bd_leave(frame);
  return status;
}
