/* Security descriptors of files and directories, as SDDL, one object at a time: nothing here touches what is inside of a directory. */
#include <windows.h>

#include <sddl.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "library.h"
#include "object.h"

/* Copies a text that the system made to a caller's buffer of `*length` characters; sets it to what is needed, with the final 0. */
static DWORD give(const wchar_t *made, wchar_t *text, uint32_t *length) {
  const uint32_t needed = (uint32_t)wcslen(made) + 1;
  const BOOL fits = needed <= *length;
  if (fits) memcpy(text, made, needed * sizeof(*text));
  *length = needed;
  return fits ? 0 : ERROR_MORE_DATA;
}

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

/* `parts`: which of owner, DACL and label (SECURITY_INFORMATION). */
uint32_t bulkhead_security_read(const wchar_t *path, uint32_t parts, struct bh_object *object, wchar_t *sddl, uint32_t *length) {
  HANDLE handle;
  DWORD error = bh_object_open(path, READ_CONTROL, &handle, object);
  if (error != 0) return error;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  wchar_t *text = NULL;
  error = require_lists(handle);
  if (error == 0) error = descriptor_of(handle, parts, &descriptor);
  if (error == 0 && !ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, parts, &text, NULL))
    error = GetLastError();
  if (error == 0) error = give(text, sddl, length);
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
  if (control & SE_SACL_AUTO_INHERITED) SetSecurityDescriptorControl(descriptor, SE_SACL_AUTO_INHERIT_REQ, SE_SACL_AUTO_INHERIT_REQ);
}

static DWORD access_for(SECURITY_INFORMATION parts) {
  return (parts & DACL_SECURITY_INFORMATION ? WRITE_DAC : 0) | (parts & LABEL_SECURITY_INFORMATION ? WRITE_OWNER : 0);
}

/* ERROR_FILE_INVALID when the object is not `expected`. */
uint32_t bulkhead_security_write(const wchar_t *path, uint32_t parts, const struct bh_object *expected, const wchar_t *sddl) {
  PSECURITY_DESCRIPTOR descriptor;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor, NULL)) return GetLastError();
  keep_inheritance(descriptor);
  HANDLE handle;
  struct bh_object object;
  DWORD error = bh_object_open(path, access_for(parts), &handle, &object);
  if (error == 0) {
    if (!bh_object_same(&object, expected))
      error = ERROR_FILE_INVALID;
    else if (!SetKernelObjectSecurity(handle, parts, descriptor))
      error = GetLastError();
    CloseHandle(handle);
  }
  LocalFree(descriptor);
  return error;
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
  const DWORD error = give(made, text, length);
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
