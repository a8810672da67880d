/* NtCreateFile, NtOpenFile, NtDeleteFile, NtQuery(Full)AttributesFile, NtSetInformationFile. */
#include "file.h"
#include "token.h"

#include <string.h>
#include <wchar.h>

/** What an existing file must grant for this way of opening it. */
static ACCESS_MASK needed(ACCESS_MASK access, ULONG disposition, ULONG options) {
  if (disposition == FILE_OVERWRITE || disposition == FILE_OVERWRITE_IF) access |= FILE_WRITE_DATA;
  if (disposition == FILE_SUPERSEDE) access |= DELETE;
  if (options & FILE_DELETE_ON_CLOSE) access |= DELETE;
  return access;
}

typedef struct {
  HANDLE *handle;
  ACCESS_MASK access;
  OBJECT_ATTRIBUTES *attributes;
  IO_STATUS_BLOCK *io;
  LARGE_INTEGER *size;
  ULONG file_attributes, sharing, disposition, options;
  void *ea;
  ULONG ea_length;
} open_call;

static NTSTATUS call_system(const open_call *call, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes) {
  return bd_real(NtCreateFile)(call->handle, access, attributes, call->io, call->size, call->file_attributes, call->sharing, call->disposition,
                               call->options, call->ea, call->ea_length);
}

static NTSTATUS open_file(const open_call *call, const bd_target *target) {
  ACCESS_MASK access = call->access, granted;
  NTSTATUS status = STATUS_SUCCESS;
  BOOL new_directory = (call->options & FILE_DIRECTORY_FILE) != 0;
  OBJECT_ATTRIBUTES plain = *call->attributes;
  if (target->exists && call->disposition != FILE_CREATE) {
    ACCESS_MASK need = needed(access, call->disposition, call->options);
    status = bd_check_existing(target, need, (call->options & FILE_OPEN_FOR_BACKUP_INTENT) != 0, &granted);
    if (!status && (access & MAXIMUM_ALLOWED)) access = granted;
  } else if (!target->exists && call->disposition != FILE_OPEN && call->disposition != FILE_OVERWRITE) {
    status = bd_check_add(target->path, new_directory);
    if (access & MAXIMUM_ALLOWED) access = (access & ~(ACCESS_MASK)MAXIMUM_ALLOWED) | bd_map_file.GenericAll;
  }
  if (status) return status;
  /* Wine would turn the descriptor into mode bits of the host. */
  plain.SecurityDescriptor = NULL;
  status = call_system(call, access, &plain);
  if (status || target->exists) return status;
  status = bd_record_created(target->path, new_directory, call->attributes->SecurityDescriptor);
  if (status) NtClose(*call->handle);
  return status;
}

/** A stream beside the data is part of its file: whoever may write the file may make one. */
static NTSTATUS open_stream(const open_call *call, const bd_target *target) {
  ACCESS_MASK granted, need = needed(call->access, call->disposition, call->options);
  bd_target file = *target;
  if (!target->exists) need |= FILE_WRITE_DATA;
  file.exists = TRUE;
  NTSTATUS status = bd_path_exists(target->path) ? bd_check_existing(&file, need, FALSE, &granted) : bd_check_add(target->path, FALSE);
  return status ? status : call_system(call, call->access, call->attributes);
}

/** What lies on a disk, past all descriptors of files, is for administrators ("CreateFileW", Physical Disks and Volumes). */
static NTSTATUS open_disk(const open_call *call) {
  const bd_sid administrators = bd_sid_make(5, 2, 32u, 544u);
  bd_token caller;
  ACCESS_MASK access = call->access;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  MapGenericMask(&access, (GENERIC_MAPPING *)&bd_map_file);
  BOOL may = (bd_token_has(&caller, &administrators) && !caller.restricted_count) || !bd_shared->enforce;
  if (!may && (access & ~(ACCESS_MASK)(FILE_READ_ATTRIBUTES | SYNCHRONIZE))) return STATUS_ACCESS_DENIED;
  return call_system(call, call->access, call->attributes);
}

static NTSTATUS open_any(const open_call *call) {
  bd_target target;
  NTSTATUS status = bd_resolve(call->attributes, &target);
  if (status == STATUS_NAME_TOO_LONG) return status;
  if (status || target.place == BD_PLACE_OTHER) return call_system(call, call->access, call->attributes);
  if (target.place == BD_PLACE_DISK) return open_disk(call);
  if (target.place == BD_PLACE_FILE && target.stream) return open_stream(call, &target);
  if (target.place == BD_PLACE_FILE && !(call->options & FILE_OPEN_BY_FILE_ID)) return open_file(call, &target);
  if (target.place == BD_PLACE_FILE) {
    /* The name says nothing; look at what it turned out to be. Opening by number never creates. */
    ACCESS_MASK granted;
    status = call_system(call, call->access, call->attributes);
    if (status) return status;
    status = bd_resolve_handle(*call->handle, &target);
    if (!status) status = bd_check_existing(&target, needed(call->access, call->disposition, call->options), FALSE, &granted);
    if (status) NtClose(*call->handle);
    return status;
  }
  status = bd_shared->enforce && bd_shared->pipe_checks ? bd_pipe_open(target.path, call->access) : STATUS_SUCCESS;
  return status ? status : call_system(call, call->access, call->attributes);
}

NTSTATUS NTAPI bd_NtCreateFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, LARGE_INTEGER *size,
                               ULONG file_attributes, ULONG sharing, ULONG disposition, ULONG options, void *ea, ULONG ea_length) {
  const open_call call = {handle, access, attributes, io, size, file_attributes, sharing, disposition, options, ea, ea_length};
  if (bd_inside() || !attributes) return call_system(&call, access, attributes);
  bd_frame frame = bd_enter();
  NTSTATUS status = open_any(&call);
  if (status == STATUS_ACCESS_DENIED) *handle = NULL;
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtOpenFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes, IO_STATUS_BLOCK *io, ULONG sharing, ULONG options) {
  return bd_NtCreateFile(handle, access, attributes, io, NULL, 0, sharing, FILE_OPEN, options, NULL, 0);
}

/** May the caller do this to the file of that name? Names that lead nowhere are the system's to refuse. */
static NTSTATUS check_name(const OBJECT_ATTRIBUTES *attributes, ACCESS_MASK access) {
  bd_target target;
  ACCESS_MASK granted;
  NTSTATUS status = bd_resolve(attributes, &target);
  if (status == STATUS_NAME_TOO_LONG) return status;
  if (status || target.place != BD_PLACE_FILE || !target.exists) return STATUS_SUCCESS;
  return bd_check_existing(&target, access, FALSE, &granted);
}

NTSTATUS NTAPI bd_NtDeleteFile(OBJECT_ATTRIBUTES *attributes) {
  if (bd_inside() || !bd_shared->enforce) return bd_real(NtDeleteFile)(attributes);
  bd_frame frame = bd_enter();
  NTSTATUS status = check_name(attributes, DELETE);
  if (!status) status = bd_real(NtDeleteFile)(attributes);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtQueryAttributesFile(const OBJECT_ATTRIBUTES *attributes, void *information) {
  if (bd_inside() || !bd_shared->enforce) return bd_real(NtQueryAttributesFile)(attributes, information);
  bd_frame frame = bd_enter();
  NTSTATUS status = check_name(attributes, FILE_READ_ATTRIBUTES);
  if (!status) status = bd_real(NtQueryAttributesFile)(attributes, information);
  bd_leave(frame);
  return status;
}

NTSTATUS NTAPI bd_NtQueryFullAttributesFile(const OBJECT_ATTRIBUTES *attributes, void *information) {
  if (bd_inside() || !bd_shared->enforce) return bd_real(NtQueryFullAttributesFile)(attributes, information);
  bd_frame frame = bd_enter();
  NTSTATUS status = check_name(attributes, FILE_READ_ATTRIBUTES);
  if (!status) status = bd_real(NtQueryFullAttributesFile)(attributes, information);
  bd_leave(frame);
  return status;
}

/** Where a rename or link leads: a whole name, one relative to a directory, or a new last name beside the old one. */
static NTSTATUS destination(const bd_rename_information *rename, ULONG length, const bd_target *source, bd_target *target) {
  WCHAR name[BD_PATH + 8];
  if (length < offsetof(bd_rename_information, name) || rename->name_length > length - offsetof(bd_rename_information, name)) {
    return STATUS_INVALID_PARAMETER;
  }
  UNICODE_STRING text = {(USHORT)rename->name_length, (USHORT)rename->name_length, (WCHAR *)rename->name};
  OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes), .RootDirectory = rename->root, .ObjectName = &text};
  if (!rename->root && rename->name_length >= sizeof(WCHAR) && rename->name[0] != L'\\') {
    WCHAR parent[BD_PATH];
    size_t given = rename->name_length / sizeof(WCHAR);
    if (!bd_parent_of(source->path, parent) || wcslen(parent) + given + 6 > BD_PATH) return STATUS_NAME_TOO_LONG;
    swprintf(name, BD_PATH + 8, L"\\??\\%ls%ls%.*ls", parent, parent[wcslen(parent) - 1] == L'\\' ? L"" : L"\\", (int)given, rename->name);
    text.Buffer = name;
    text.Length = text.MaximumLength = (USHORT)(wcslen(name) * sizeof(WCHAR));
  }
  return bd_resolve(&attributes, target);
}

static NTSTATUS rename_or_link(HANDLE file, IO_STATUS_BLOCK *io, void *information, ULONG length, ULONG class) {
  BOOL is_link = class == BD_FILE_LINK || class == BD_FILE_LINK_EX;
  bd_target source, target;
  bd_sd before, after;
  ACCESS_MASK granted;
  NTSTATUS status = bd_resolve_handle(file, &source);
  if (status) return status;
  if (source.place != BD_PLACE_FILE) return bd_real(NtSetInformationFile)(file, io, information, length, class);
  if (!is_link && !(bd_handle_rights(file) & DELETE)) return STATUS_ACCESS_DENIED;
  status = destination(information, length, &source, &target);
  if (status) return status;
  if (target.place != BD_PLACE_FILE) return STATUS_NOT_SAME_DEVICE;
  if (target.exists && !bd_same_name(source.path, target.path, BD_PATH)) {
    status = bd_check_existing(&target, DELETE, FALSE, &granted);
    if (status) return status;
  }
  status = bd_check_add(target.path, source.directory);
  /* A second name for a file that one may not change would be a way to keep it. Windows asks since 2015; Wine opens with less. */
  if (!status && is_link) status = bd_check_existing(&source, FILE_WRITE_ATTRIBUTES, FALSE, &granted);
  if (status) return status;
  if (!bd_file_descriptor(source.path, source.directory, &before)) return STATUS_ACCESS_DENIED;
  status = bd_real(NtSetInformationFile)(file, io, information, length, class);
  if (status || bd_same_name(source.path, target.path, BD_PATH)) return status;
  /* The descriptor belongs to the file, not to the name: it keeps what it had where it was. */
  bd_file_forget(target.path);
  if (!is_link) status = bd_file_move(source.path, target.path);
  if (!status && bd_file_descriptor(target.path, source.directory, &after) && !bd_same_descriptor(&before, &after)) {
    status = bd_file_store(target.path, &before, BD_FILE_RAW);
  }
  return status;
}

/** The right that a handle must have; Wine asks for some of them only. */
static ACCESS_MASK right_for(ULONG class) {
  switch (class) {
    case BD_FILE_BASIC: return FILE_WRITE_ATTRIBUTES;
    case BD_FILE_DISPOSITION:
    case BD_FILE_DISPOSITION_EX: return DELETE;
    case BD_FILE_ALLOCATION:
    case BD_FILE_END_OF_FILE: return FILE_WRITE_DATA;
    default: return 0;
  }
}

/** The right of the handle, or for attributes the file itself: Wine's SetFileAttributes opens for nothing but waiting. */
static BOOL has_right(HANDLE file, ULONG class, ACCESS_MASK right) {
  bd_target target;
  ACCESS_MASK granted;
  if ((bd_handle_rights(file) & right) == right) return TRUE;
  if (class != BD_FILE_BASIC || bd_handle_rights(file) != SYNCHRONIZE) return FALSE;
  return bd_resolve_handle(file, &target) == STATUS_SUCCESS && target.place == BD_PLACE_FILE &&
         bd_check_existing(&target, right, FALSE, &granted) == STATUS_SUCCESS;
}

NTSTATUS NTAPI bd_NtSetInformationFile(HANDLE file, IO_STATUS_BLOCK *io, void *information, ULONG length, ULONG class) {
  if (bd_inside()) return bd_real(NtSetInformationFile)(file, io, information, length, class);
  bd_frame frame = bd_enter();
  NTSTATUS status;
  ACCESS_MASK right = right_for(class);
  if (class == BD_FILE_RENAME || class == BD_FILE_RENAME_EX || class == BD_FILE_LINK || class == BD_FILE_LINK_EX) {
    status = rename_or_link(file, io, information, length, class);
  } else if (right && !has_right(file, class, right)) {
    status = STATUS_ACCESS_DENIED;
  } else {
    status = bd_real(NtSetInformationFile)(file, io, information, length, class);
  }
  bd_leave(frame);
  return status;
}
