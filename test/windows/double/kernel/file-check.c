#include "file.h"
#include "token.h"

#include <string.h>

ACCESS_MASK bd_handle_rights(HANDLE handle) {
  bd_object_basic basic;
  return NtQueryObject(handle, 0 /* ObjectBasicInformation */, &basic, sizeof(basic), NULL) == STATUS_SUCCESS ? basic.granted : 0;
}

static ACCESS_MASK through_parent(const WCHAR *path, const bd_token *caller) {
  WCHAR parent[BD_PATH];
  bd_sd sd;
  return bd_parent_of(path, parent) && bd_file_descriptor(parent, TRUE, &sd) ? bd_through_parent(&sd, caller) : 0;
}

/** "File Security and Access Rights": with FILE_FLAG_BACKUP_SEMANTICS, the backup and restore privileges grant what copying needs. */
static ACCESS_MASK by_privilege(const bd_token *caller) {
  ACCESS_MASK more = 0;
  if (caller->privileges & BD_PRIVILEGE(BD_SE_BACKUP)) more |= bd_map_file.GenericRead | FILE_TRAVERSE | ACCESS_SYSTEM_SECURITY;
  if (caller->privileges & BD_PRIVILEGE(BD_SE_RESTORE)) more |= bd_map_file.GenericWrite | WRITE_DAC | WRITE_OWNER | DELETE;
  return more;
}

NTSTATUS bd_check_existing(const bd_target *target, ACCESS_MASK desired, BOOL for_backup, ACCESS_MASK *granted) {
  bd_token caller;
  bd_sd sd;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  if (!bd_file_descriptor(target->path, target->directory, &sd)) return STATUS_ACCESS_DENIED;
  *granted = 0;
  if (!desired) return STATUS_SUCCESS;
  if (!bd_shared->enforce) {
    *granted = desired & MAXIMUM_ALLOWED ? bd_map_file.GenericAll : desired;
    return STATUS_SUCCESS;
  }
  if (!(desired & MAXIMUM_ALLOWED)) {
    status = bd_access_check(&sd, &caller, desired, &bd_map_file, granted);
    if (!status) return status;
  }
  /* The rest costs calls and decides rarely. */
  bd_token_caller_privileges(&caller);
  ACCESS_MASK more = through_parent(target->path, &caller) | (for_backup ? by_privilege(&caller) : 0);
  return bd_file_check(&sd, more, &caller, desired, granted);
}

NTSTATUS bd_check_add(const WCHAR *path, BOOL directory) {
  if (!bd_shared->enforce) return STATUS_SUCCESS;
  WCHAR parent[BD_PATH];
  bd_token caller;
  bd_sd sd;
  ACCESS_MASK granted;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  if (!bd_parent_of(path, parent) || !bd_file_descriptor(parent, TRUE, &sd)) return STATUS_ACCESS_DENIED;
  return bd_access_check(&sd, &caller, directory ? FILE_ADD_SUBDIRECTORY : FILE_ADD_FILE, &bd_map_file, &granted);
}

NTSTATUS bd_record_created(const WCHAR *path, BOOL directory, const void *descriptor) {
  bd_token caller;
  bd_sd sd, inherited;
  NTSTATUS status = bd_token_caller(&caller);
  if (status) return status;
  bd_file_forget(path);
  if (!bd_file_descriptor(path, directory, &inherited)) return STATUS_ACCESS_DENIED;
  BOOL worth = descriptor != NULL;
  memset(&sd, 0, sizeof(sd));
  if (descriptor && !bd_sd_from(&sd, descriptor)) return STATUS_INVALID_SECURITY_DESCR;
  if (bd_sid_none(&sd.owner)) sd.owner = caller.owner;
  if (bd_sid_none(&sd.group)) sd.group = caller.primary_group;
  worth |= !bd_sid_equal(&sd.owner, &inherited.owner);
  /* Who is below medium marks what it makes with its own level, unless the directory says otherwise. */
  if (!sd.has_label && !inherited.has_label && caller.integrity < SECURITY_MANDATORY_MEDIUM_RID) {
    sd.has_label = 1;
    sd.label_rid = caller.integrity;
    sd.label_policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
    worth = TRUE;
  }
  return worth ? bd_file_store(path, &sd, 0) : STATUS_SUCCESS;
}
