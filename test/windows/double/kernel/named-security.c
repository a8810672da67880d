/*
 * SetNamedSecurityInfo, SetSecurityInfo and their readers for files. Wine's versions lose protection and labels and compute inheritance themselves;
 * Windows' versions change the object and let what is below follow ("SetNamedSecurityInfoW": automatic propagation of inheritable ACEs).
 */
#include "patch.h"
#include "security.h"

#include <aclapi.h>
#include <string.h>

typedef DWORD(WINAPI *set_named)(LPWSTR, SE_OBJECT_TYPE, SECURITY_INFORMATION, PSID, PSID, PACL, PACL);
typedef DWORD(WINAPI *set_handle)(HANDLE, SE_OBJECT_TYPE, SECURITY_INFORMATION, PSID, PSID, PACL, PACL);
typedef DWORD(WINAPI *get_named)(LPWSTR, SE_OBJECT_TYPE, SECURITY_INFORMATION, PSID *, PSID *, PACL *, PACL *, PSECURITY_DESCRIPTOR *);

static void *original_set_named, *original_set, *original_get_named;

static DWORD set(HANDLE file, SECURITY_INFORMATION info, PSID owner, PSID group, PACL dacl, PACL sacl) {
  SECURITY_DESCRIPTOR sd;
  memset(&sd, 0, sizeof(sd));
  sd.Revision = SECURITY_DESCRIPTOR_REVISION;
  sd.Owner = info & OWNER_SECURITY_INFORMATION ? owner : NULL;
  sd.Group = info & GROUP_SECURITY_INFORMATION ? group : NULL;
  if (info & DACL_SECURITY_INFORMATION) {
    sd.Control |= SE_DACL_PRESENT;
    sd.Dacl = dacl;
  }
  if (info & (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) {
    sd.Control |= SE_SACL_PRESENT;
    sd.Sacl = sacl;
  }
  bd_thread_set(BD_THREAD_PROPAGATES, TRUE);
  NTSTATUS status = NtSetSecurityObject(file, info, &sd);
  bd_thread_set(BD_THREAD_PROPAGATES, FALSE);
  return RtlNtStatusToDosError(status);
}

static DWORD open(const WCHAR *name, ACCESS_MASK access, HANDLE *file) {
  *file = CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  return *file == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
}

static DWORD WINAPI set_named_security(LPWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION info, PSID owner, PSID group, PACL dacl, PACL sacl) {
  ACCESS_MASK access = 0;
  HANDLE file;
  if (type != SE_FILE_OBJECT || !name) return ((set_named)original_set_named)(name, type, info, owner, group, dacl, sacl);
  if (info & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) access |= WRITE_OWNER;
  if (info & (DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION)) access |= WRITE_DAC | READ_CONTROL;
  if (info & SACL_SECURITY_INFORMATION) access |= ACCESS_SYSTEM_SECURITY;
  DWORD error = open(name, access, &file);
  if (error) return error;
  error = set(file, info, owner, group, dacl, sacl);
  CloseHandle(file);
  return error;
}

static DWORD WINAPI set_security(HANDLE handle, SE_OBJECT_TYPE type, SECURITY_INFORMATION info, PSID owner, PSID group, PACL dacl, PACL sacl) {
  if (type != SE_FILE_OBJECT) return ((set_handle)original_set)(handle, type, info, owner, group, dacl, sacl);
  return set(handle, info, owner, group, dacl, sacl);
}

static DWORD WINAPI get_named_security(LPWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION info, PSID *owner, PSID *group, PACL *dacl, PACL *sacl,
                                       PSECURITY_DESCRIPTOR *descriptor) {
  HANDLE file;
  if (type != SE_FILE_OBJECT || !name) return ((get_named)original_get_named)(name, type, info, owner, group, dacl, sacl, descriptor);
  DWORD error = open(name, READ_CONTROL | (info & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0), &file);
  if (error) return error;
  error = GetSecurityInfo(file, type, info, owner, group, dacl, sacl, descriptor);
  CloseHandle(file);
  return error;
}

static const bd_replacement replacements[] = {
    {"advapi32.dll", "SetNamedSecurityInfoW", (void *)set_named_security, &original_set_named},
    {"advapi32.dll", "SetSecurityInfo", (void *)set_security, &original_set},
    {"advapi32.dll", "GetNamedSecurityInfoW", (void *)get_named_security, &original_get_named},
};

BOOL bd_named_security_install(void) {
  return bd_patch(replacements, sizeof(replacements) / sizeof(replacements[0]));
}
