/* Security descriptors of files and directories, one object at a time: nothing here touches what is inside of a directory. */
#include <windows.h>

#include <sddl.h>
#include <stdlib.h>
#include <wchar.h>

#include "library.h"
#include "object.h"
#include "text-out.h"

/* A volume without access lists (FAT, exFAT, many network drives) answers with one that grants everything to everybody. */
static DWORD require_lists(HANDLE handle) {
  DWORD flags;
  if (!GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, NULL, 0)) return GetLastError();
  return flags & FILE_PERSISTENT_ACLS ? 0 : ERROR_NOT_SUPPORTED;
}

static DWORD descriptor_of(HANDLE handle, SECURITY_INFORMATION parts, PSECURITY_DESCRIPTOR *descriptor) {
  DWORD size = 0;
  if (GetKernelObjectSecurity(handle, parts, NULL, 0, &size)) return ERROR_INVALID_SECURITY_DESCR;
  if (GetLastError() != ERROR_INSUFFICIENT_BUFFER) return GetLastError();
  PSECURITY_DESCRIPTOR read = malloc(size);
  if (!read) return ERROR_NOT_ENOUGH_MEMORY;
  if (!GetKernelObjectSecurity(handle, parts, read, size, &size)) {
    const DWORD error = GetLastError();
    free(read);
    return error;
  }
  *descriptor = read;
  return 0;
}

uint32_t bulkhead_access_read(const wchar_t *path, struct bh_object *object, wchar_t *sddl, uint32_t *length) {
  HANDLE handle;
  DWORD error = bh_object_open(path, READ_CONTROL, &handle, object);
  if (error != 0) return error;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  wchar_t *text = NULL;
  error = require_lists(handle);
  if (error == 0) error = descriptor_of(handle, DACL_SECURITY_INFORMATION, &descriptor);
  if (error == 0 && !ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL))
    error = GetLastError();
  if (error == 0) error = bh_text_out(text, sddl, length);
  LocalFree(text);
  free(descriptor);
  CloseHandle(handle);
  return error;
}

/*
 * Whether a list inherits from above (its AI flag) is kept only when the caller asks for it in these words; without them, writing back
 * what was read would change it.
 */
static void keep_inheritance(PSECURITY_DESCRIPTOR descriptor) {
  SECURITY_DESCRIPTOR_CONTROL control;
  DWORD revision;
  if (!GetSecurityDescriptorControl(descriptor, &control, &revision)) return;
  if (control & SE_DACL_AUTO_INHERITED) SetSecurityDescriptorControl(descriptor, SE_DACL_AUTO_INHERIT_REQ, SE_DACL_AUTO_INHERIT_REQ);
}

static DWORD set_part(const wchar_t *path, const struct bh_object *expected, SECURITY_INFORMATION part, PSECURITY_DESCRIPTOR descriptor) {
  HANDLE handle;
  struct bh_object object;
  DWORD error = bh_object_open(path, part == DACL_SECURITY_INFORMATION ? WRITE_DAC : WRITE_OWNER, &handle, &object);
  if (error != 0) return error;
  if (!bh_object_same(&object, expected))
    error = ERROR_FILE_INVALID;
  else if (!SetKernelObjectSecurity(handle, part, descriptor))
    error = GetLastError();
  CloseHandle(handle);
  return error;
}

/* ERROR_FILE_INVALID when the object is not `expected`. */
uint32_t bulkhead_access_write(const wchar_t *path, const struct bh_object *expected, const wchar_t *sddl) {
  PSECURITY_DESCRIPTOR descriptor;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor, NULL)) return GetLastError();
  keep_inheritance(descriptor);
  const DWORD error = set_part(path, expected, DACL_SECURITY_INFORMATION, descriptor);
  LocalFree(descriptor);
  return error;
}

static void find_label(PSECURITY_DESCRIPTOR descriptor, struct bh_label *label) {
  BOOL present = FALSE, defaulted;
  PACL list = NULL;
  void *entry;
  *label = (struct bh_label){0};
  if (!GetSecurityDescriptorSacl(descriptor, &present, &list, &defaulted) || !present || !list) return;
  for (DWORD i = 0; !label->present && GetAce(list, i, &entry); i++) {
    const SYSTEM_MANDATORY_LABEL_ACE *ace = entry;
    PSID sid = (PSID)(uintptr_t)&ace->SidStart;
    if (ace->Header.AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE || *GetSidSubAuthorityCount(sid) != 1) continue;
    *label = (struct bh_label){.present = 1, .flags = ace->Header.AceFlags, .policy = ace->Mask, .level = *GetSidSubAuthority(sid, 0)};
  }
}

/* The entry itself and not SDDL: there are systems that cannot print one. */
uint32_t bulkhead_label_read(const wchar_t *path, struct bh_object *object, struct bh_label *label) {
  HANDLE handle;
  DWORD error = bh_object_open(path, READ_CONTROL, &handle, object);
  if (error != 0) return error;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  error = require_lists(handle);
  if (error == 0) error = descriptor_of(handle, LABEL_SECURITY_INFORMATION, &descriptor);
  if (error == 0) find_label(descriptor, label);
  free(descriptor);
  CloseHandle(handle);
  return error;
}

/* Not present: takes it away. ERROR_FILE_INVALID when the object is not `expected`. */
uint32_t bulkhead_label_write(const wchar_t *path, const struct bh_object *expected, const struct bh_label *label) {
  union {
    ACL list;
    BYTE space[sizeof(ACL) + sizeof(SYSTEM_MANDATORY_LABEL_ACE) + SECURITY_MAX_SID_SIZE];
  } room;
  const SID_IDENTIFIER_AUTHORITY labels = {SECURITY_MANDATORY_LABEL_AUTHORITY};
  SID sid = {.Revision = SID_REVISION, .SubAuthorityCount = 1, .IdentifierAuthority = labels, .SubAuthority = {label->level}};
  SECURITY_DESCRIPTOR descriptor;
  if (!InitializeAcl(&room.list, sizeof(room), ACL_REVISION)) return GetLastError();
  if (label->present && !AddMandatoryAce(&room.list, ACL_REVISION, label->flags, label->policy, &sid)) return GetLastError();
  if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) || !SetSecurityDescriptorSacl(&descriptor, TRUE, &room.list, FALSE))
    return GetLastError();
  return set_part(path, expected, LABEL_SECURITY_INFORMATION, &descriptor);
}

/* Born with its descriptor: at no moment can it be opened with another one. Fails when there is something of that name. */
uint32_t bulkhead_directory_make(const wchar_t *path, const wchar_t *sddl) {
  SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL))
    return GetLastError();
  const DWORD error = CreateDirectoryW(path, &attributes) ? 0 : GetLastError();
  LocalFree(attributes.lpSecurityDescriptor);
  return error;
}

/*
 * What the path leads to, as it is spelled on the disk (\\?\C:\...): in its case, with long names for short ones, and through every link
 * but one at its end.
 */
uint32_t bulkhead_final_path(const wchar_t *path, wchar_t *text, uint32_t *length) {
  const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
  HANDLE handle = CreateFileW(path, FILE_READ_ATTRIBUTES, share, NULL, OPEN_EXISTING, flags, NULL);
  if (handle == INVALID_HANDLE_VALUE) return GetLastError();
  /* Without the final 0 when it fits, with it when it does not. */
  const DWORD found = GetFinalPathNameByHandleW(handle, text, *length, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
  DWORD error = found == 0 ? GetLastError() : 0;
  if (error == 0 && found >= *length) error = ERROR_MORE_DATA;
  *length = error == 0 ? found + 1 : found;
  CloseHandle(handle);
  return error;
}

static DWORD give_sid(PSID sid, wchar_t *text, uint32_t *length) {
  wchar_t *made;
  if (!ConvertSidToStringSidW(sid, &made)) return GetLastError();
  const DWORD error = bh_text_out(made, text, length);
  LocalFree(made);
  return error;
}

uint32_t bulkhead_user_sid(wchar_t *text, uint32_t *length) {
  union {
    TOKEN_USER user;
    BYTE space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } facts;
  HANDLE token;
  DWORD size;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return GetLastError();
  DWORD error = GetTokenInformation(token, TokenUser, &facts, sizeof(facts), &size) ? 0 : GetLastError();
  CloseHandle(token);
  return error ? error : give_sid(facts.user.User.Sid, text, length);
}

/* A group of this very machine: the name is qualified, so that no domain is asked and none of a domain is found. ERROR_NONE_MAPPED: none. */
uint32_t bulkhead_group_sid(const wchar_t *name, wchar_t *text, uint32_t *length) {
  wchar_t qualified[MAX_COMPUTERNAME_LENGTH + 1 + 256 + 2], domain[MAX_COMPUTERNAME_LENGTH + 257];
  DWORD computer = MAX_COMPUTERNAME_LENGTH + 1, domain_length = sizeof(domain) / sizeof(*domain), size = SECURITY_MAX_SID_SIZE;
  BYTE sid[SECURITY_MAX_SID_SIZE];
  SID_NAME_USE use;
  if (wcslen(name) > 256) return ERROR_INVALID_PARAMETER;
  if (!GetComputerNameW(qualified, &computer)) return GetLastError();
  wcscat(wcscat(qualified, L"\\"), name);
  if (!LookupAccountNameW(NULL, qualified, sid, &size, domain, &domain_length, &use)) return GetLastError();
  return use == SidTypeAlias ? give_sid(sid, text, length) : ERROR_NONE_MAPPED;
}

/* Held until it is unlocked or this process ends, however it ends. ERROR_SHARING_VIOLATION while somebody holds it. */
uint32_t bulkhead_lock(const wchar_t *path, uint64_t *lock) {
  HANDLE handle = CreateFileW(path, GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  if (handle == INVALID_HANDLE_VALUE) return GetLastError();
  *lock = (uintptr_t)handle;
  return 0;
}

void bulkhead_unlock(uint64_t lock) {
  CloseHandle((HANDLE)(uintptr_t)lock);
}
