/* The local group that all agent accounts are in, and what its members may do. */
#include <windows.h>

#include <lm.h>
#include <ntsecapi.h>
#include <sddl.h>
#include <stdlib.h>
#include <wchar.h>

#include "account.h"
#include "text-out.h"

uint32_t bulkhead_group_make(const wchar_t *name, const wchar_t *comment) {
  LOCALGROUP_INFO_1 group = {(LPWSTR)(uintptr_t)name, (LPWSTR)(uintptr_t)comment};
  const uint32_t error = NetLocalGroupAdd(NULL, 1, (LPBYTE)&group, NULL);
  return error == NERR_GroupExists || error == ERROR_ALIAS_EXISTS ? 0 : error;
}

uint32_t bulkhead_group_remove(const wchar_t *name) {
  const uint32_t error = NetLocalGroupDel(NULL, name);
  return error == NERR_GroupNotFound || error == ERROR_NO_SUCH_ALIAS ? 0 : error;
}

/* SIDs of the members, one a line. */
uint32_t bulkhead_group_members(const wchar_t *name, wchar_t *text, uint32_t *length) {
  LPBYTE answer = NULL;
  DWORD count = 0, total = 0;
  uint32_t error = NetLocalGroupGetMembers(NULL, name, 0, &answer, MAX_PREFERRED_LENGTH, &count, &total, NULL);
  if (error == NERR_GroupNotFound || error == ERROR_NO_SUCH_ALIAS) count = 0;
  else if (error) return error;
  const LOCALGROUP_MEMBERS_INFO_0 *members = (const void *)answer;
  wchar_t *list = calloc((size_t)count * 200 + 1, sizeof(*list));
  error = list ? 0 : ERROR_NOT_ENOUGH_MEMORY;
  for (DWORD i = 0; !error && i < count; i++) {
    wchar_t *sid = NULL;
    if (!ConvertSidToStringSidW(members[i].lgrmi0_sid, &sid)) error = GetLastError();
    else wcscat(wcscat(list, sid), L"\n");
    LocalFree(sid);
  }
  if (!error) error = bh_text_out(list, text, length);
  free(list);
  NetApiBufferFree(answer);
  return error;
}

/* Groups of the system have another name in every language. */
static uint32_t name_of(PSID sid, wchar_t name[GNLEN + 1]) {
  wchar_t domain[DNLEN + 1];
  DWORD length = GNLEN + 1, domain_length = DNLEN + 1;
  SID_NAME_USE use;
  return LookupAccountSidW(NULL, sid, name, &length, domain, &domain_length, &use) ? 0 : GetLastError();
}

enum change { JOIN, LEAVE };

/* `group` is a SID, also of a group that is not ours (BUILTIN\Users). Being what was asked for already is no error. */
static uint32_t change_member(const wchar_t *group, const wchar_t *member, enum change change) {
  PSID group_sid = NULL, member_sid = NULL;
  wchar_t name[GNLEN + 1];
  uint32_t error = ConvertStringSidToSidW(group, &group_sid) && ConvertStringSidToSidW(member, &member_sid) ? 0 : GetLastError();
  if (!error) error = name_of(group_sid, name);
  if (!error) {
    LOCALGROUP_MEMBERS_INFO_0 entry = {member_sid};
    error = change == JOIN ? NetLocalGroupAddMembers(NULL, name, 0, (LPBYTE)&entry, 1)
                           : NetLocalGroupDelMembers(NULL, name, 0, (LPBYTE)&entry, 1);
  }
  LocalFree(group_sid);
  LocalFree(member_sid);
  return error == (change == JOIN ? ERROR_MEMBER_IN_ALIAS : ERROR_MEMBER_NOT_IN_ALIAS) ? 0 : error;
}

uint32_t bulkhead_group_join(const wchar_t *group, const wchar_t *member) {
  return change_member(group, member, JOIN);
}

uint32_t bulkhead_group_leave(const wchar_t *group, const wchar_t *member) {
  return change_member(group, member, LEAVE);
}

/* "Account Rights Constants": what kinds of logon an account may be used for. The policy functions return NTSTATUS. */
static uint32_t open_policy(ACCESS_MASK access, LSA_HANDLE *policy) {
  LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
  return LsaNtStatusToWinError(LsaOpenPolicy(NULL, &attributes, access, policy));
}

/* The rights of a SID, one a line; none at all when the policy does not know it. ERROR_ACCESS_DENIED: this process may not ask. */
uint32_t bulkhead_rights_read(const wchar_t *sid, wchar_t *text, uint32_t *length) {
  PSID account;
  LSA_HANDLE policy;
  if (!ConvertStringSidToSidW(sid, &account)) return GetLastError();
  uint32_t error = open_policy(POLICY_LOOKUP_NAMES, &policy);
  if (error) {
    LocalFree(account);
    return error;
  }
  PLSA_UNICODE_STRING rights = NULL;
  ULONG count = 0;
  wchar_t list[2048] = L"";
  error = LsaNtStatusToWinError(LsaEnumerateAccountRights(policy, account, &rights, &count));
  if (error == ERROR_FILE_NOT_FOUND) error = count = 0;
  for (ULONG i = 0; !error && i < count; i++) {
    const size_t units = rights[i].Length / sizeof(wchar_t);
    if (wcslen(list) + units + 2 > 2048) error = ERROR_INSUFFICIENT_BUFFER;
    else wcscat(wcsncat(list, rights[i].Buffer, units), L"\n");
  }
  if (rights) LsaFreeMemory(rights);
  LsaClose(policy);
  LocalFree(account);
  return error ? error : bh_text_out(list, text, length);
}

#define MOST_RIGHTS 16u

/* `rights`: names, one a line. Those the SID has already stay. */
uint32_t bulkhead_rights_add(const wchar_t *sid, const wchar_t *rights) {
  LSA_UNICODE_STRING names[MOST_RIGHTS];
  ULONG count = 0;
  for (const wchar_t *at = rights; *at; count++) {
    const size_t units = wcscspn(at, L"\n");
    if (count == MOST_RIGHTS || units == 0 || units > 100) return ERROR_INVALID_PARAMETER;
    names[count] = (LSA_UNICODE_STRING){(USHORT)(units * sizeof(wchar_t)), (USHORT)(units * sizeof(wchar_t)), (PWSTR)(uintptr_t)at};
    at += units + (at[units] == L'\n');
  }
  PSID account;
  LSA_HANDLE policy;
  if (!ConvertStringSidToSidW(sid, &account)) return GetLastError();
  uint32_t error = open_policy(POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy);
  if (!error) {
    error = LsaNtStatusToWinError(LsaAddAccountRights(policy, account, names, count));
    LsaClose(policy);
  }
  LocalFree(account);
  return error;
}

/* All of them, and with them what the policy knows of the SID ("LsaRemoveAccountRights"). */
uint32_t bulkhead_rights_clear(const wchar_t *sid) {
  PSID account;
  LSA_HANDLE policy;
  if (!ConvertStringSidToSidW(sid, &account)) return GetLastError();
  uint32_t error = open_policy(POLICY_LOOKUP_NAMES, &policy);
  if (!error) {
    error = LsaNtStatusToWinError(LsaRemoveAccountRights(policy, account, TRUE, NULL, 0));
    LsaClose(policy);
  }
  LocalFree(account);
  return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}
