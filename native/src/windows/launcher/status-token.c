#include "status-token.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
/* After windows.h. */
#include <sddl.h>

#include "sid.h"
#include "text.h"
#include "token.h"

/* What a class of GetTokenInformation gives for this process's own token; NULL with a Win32 error. */
static void *own(TOKEN_INFORMATION_CLASS class) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return NULL;
  void *information = bh_token_information(token, class);
  const DWORD error = GetLastError();
  CloseHandle(token);
  SetLastError(error);
  return information;
}

/* A value that does not fit would be half a truth. */
static uint32_t append(char *value, size_t size, const char *word) {
  const size_t length = strlen(value), more = strlen(word);
  if (length + more + 2 > size) return ERROR_INSUFFICIENT_BUFFER;
  if (length > 0) strcat(value, " ");
  strcat(value, word);
  return 0;
}

static uint32_t append_sid(char *value, size_t size, PSID sid) {
  char *text = NULL;
  if (!ConvertSidToStringSidA(sid, &text)) return GetLastError();
  const uint32_t error = append(value, size, text);
  LocalFree(text);
  return error;
}

uint32_t bh_status_user(char *value, size_t size) {
  TOKEN_USER *user = own(TokenUser);
  if (!user) return GetLastError();
  const uint32_t error = append_sid(value, size, user->User.Sid);
  free(user);
  return error;
}

uint32_t bh_status_restricted(char *value, size_t size) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return GetLastError();
  const BOOL restricted = IsTokenRestricted(token);
  CloseHandle(token);
  return append(value, size, restricted ? "yes" : "no");
}

/* TOKEN_ACCESS_INFORMATION.Flags are the token's own; 0x8 is TOKEN_WRITE_RESTRICTED (ntifs.h). */
uint32_t bh_status_write_restricted(char *value, size_t size) {
  TOKEN_ACCESS_INFORMATION *information = own(TokenAccessInformation);
  if (!information) return GetLastError();
  const bool restricted = (information->Flags & 0x8) != 0;
  free(information);
  return append(value, size, restricted ? "yes" : "no");
}

static uint32_t list_groups(TOKEN_INFORMATION_CLASS class, bool (*wanted)(const SID_AND_ATTRIBUTES *group), char *value, size_t size) {
  TOKEN_GROUPS *groups = own(class);
  if (!groups) return GetLastError();
  uint32_t error = 0;
  for (DWORD i = 0; i < groups->GroupCount && error == 0; i++) {
    if (wanted(&groups->Groups[i])) error = append_sid(value, size, groups->Groups[i].Sid);
  }
  free(groups);
  return error;
}

static bool any(const SID_AND_ATTRIBUTES *group) {
  (void)group;
  return true;
}

static bool only_denies(const SID_AND_ATTRIBUTES *group) {
  return (group->Attributes & SE_GROUP_USE_FOR_DENY_ONLY) != 0;
}

static bool has_power(const SID_AND_ATTRIBUTES *group) {
  return !only_denies(group) && bh_group_is_powerful(group->Sid);
}

uint32_t bh_status_restricting(char *value, size_t size) {
  return list_groups(TokenRestrictedSids, any, value, size);
}

uint32_t bh_status_deny_only(char *value, size_t size) {
  return list_groups(TokenGroups, only_denies, value, size);
}

uint32_t bh_status_powerful(char *value, size_t size) {
  return list_groups(TokenGroups, has_power, value, size);
}

uint32_t bh_status_integrity(char *value, size_t size) {
  TOKEN_MANDATORY_LABEL *label = own(TokenIntegrityLevel);
  if (!label) return GetLastError();
  snprintf(value, size, "%lu", *GetSidSubAuthority(label->Label.Sid, (DWORD)*GetSidSubAuthorityCount(label->Label.Sid) - 1));
  free(label);
  return 0;
}

uint32_t bh_status_privileges(char *value, size_t size) {
  TOKEN_PRIVILEGES *privileges = own(TokenPrivileges);
  if (!privileges) return GetLastError();
  uint32_t error = 0;
  for (DWORD i = 0; i < privileges->PrivilegeCount && error == 0; i++) {
    char name[64];
    DWORD length = sizeof(name);
    if (privileges->Privileges[i].Attributes & SE_PRIVILEGE_REMOVED) continue;
    if (!LookupPrivilegeNameA(NULL, &privileges->Privileges[i].Luid, name, &length)) {
      snprintf(name, sizeof(name), "#%lu", privileges->Privileges[i].Luid.LowPart);
    }
    error = append(value, size, name);
  }
  free(privileges);
  return error;
}

uint32_t bh_status_default_dacl(char *value, size_t size) {
  TOKEN_DEFAULT_DACL *list = own(TokenDefaultDacl);
  if (!list) return GetLastError();
  SECURITY_DESCRIPTOR descriptor;
  wchar_t *text = NULL;
  uint32_t error = 0;
  if (!InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
      !SetSecurityDescriptorDacl(&descriptor, TRUE, list->DefaultDacl, FALSE) ||
      !ConvertSecurityDescriptorToStringSecurityDescriptorW(&descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL)) {
    error = GetLastError();
  } else {
    bh_utf8_into(text, value, size);
  }
  LocalFree(text);
  free(list);
  return error;
}
